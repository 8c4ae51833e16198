//! `cnitool validate`: what is wrong with network configurations, before a runtime or a pod finds out.
//!
//! A file is read into a tree that knows where each key and value stands ([`document`]), and compared with what the
//! plugins declare ([`shape`]) and with what no single declaration says ([`rules`]). All goes onto one [`Sheet`], which
//! [`report`] prints.

mod directory;
mod document;
mod file;
mod finding;
mod network;
mod node;
mod places;
mod report;
mod rules;
mod shape;
mod similar;
mod source;

use std::path::PathBuf;

use crate::conflist::NetworkList;
use crate::settings;
use finding::{Severity, Sheet};

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Files and directories, `-` for stdin; without any the directory of the runtime.
    pub(crate) paths: Vec<PathBuf>,
    /// For programs.
    pub(crate) json: bool,
    /// Warnings count.
    pub(crate) strict: bool,
    /// What the configurations need of this node counts too.
    pub(crate) node: bool,
}

/// What to print, and the exit status: 1 with errors; 2 with warnings, where they count.
///
/// # Errors
/// Code 4 when a variable that names directories is not UTF-8.
pub(crate) fn run(options: &Options) -> cni_types::Result<(String, u8)> {
    let mut sheet = Sheet::default();
    let given = if options.paths.is_empty() { vec![settings::net_dir()?] } else { options.paths.clone() };
    let mut networks = Vec::new();
    for path in &given {
        let checked: Vec<_> = if path.as_os_str() == "-" {
            file::stdin(&mut sheet).into_iter().collect()
        } else if path.is_dir() {
            directory::check(&mut sheet, path)
        } else {
            file::check(&mut sheet, path).into_iter().collect()
        };
        networks.extend(checked);
    }
    if options.node {
        node::check(&mut sheet, &networks, &settings::cni_path()?);
    }
    sheet.sort();
    let status = match (sheet.count(Severity::Error), sheet.count(Severity::Warning)) {
        (0, 0) => 0,
        (0, _) => u8::from(options.strict) * 2,
        _ => 1,
    };
    let text = if options.json { report::json(&sheet) } else { report::text(&sheet, networks.len()) };
    Ok((text, status))
}

/// What there is to say about a network that is about to be used, a line each.
pub(crate) fn warnings(list: &NetworkList) -> Vec<String> {
    let mut sheet = Sheet::default();
    if let Some(path) = &list.file {
        file::check(&mut sheet, path);
    }
    sheet.sort();
    let said = sheet.findings.iter().filter(|finding| finding.severity != Severity::Note);
    said.map(|finding| report::line(&sheet, finding, "warning")).collect()
}
