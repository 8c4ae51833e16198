//! `cnitool debug`: a network tried out in a scratch namespace with the trace on, and what of the node matters for it,
//! as one text to attach to a report. What is wrong comes first.

mod anonymous;
mod findings;
mod node;
mod record;
mod scratch;
mod trial;

use std::path::PathBuf;

use cni_types::Result;

use crate::settings::Settings;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Options {
    /// Try the network out.
    Trial { network: String, anonymous: bool },
    /// Keep what real calls are given in this file from now on; `None` ends it.
    Record(Option<PathBuf>),
    /// Run the last call in the file again.
    Replay { file: PathBuf, anonymous: bool },
}

/// Prints the report: whether nothing is wrong.
///
/// # Errors
/// When there is no such network, or no namespace to be had; what fails in the trial is in the report.
pub(crate) fn run(options: &Options, print: &dyn Fn(&str) -> Result<()>) -> Result<bool> {
    let say = |text: &str, anonymous: bool| {
        if anonymous { print(&anonymous::text(text)) } else { print(text) }
    };
    match options {
        Options::Trial { network, anonymous } => {
            let (settings, list) = Settings::load(network)?;
            let trial = trial::run(settings.runtime.clone(), &settings, &list)?;
            let findings = findings::of(&list, &trial, &settings.runtime);
            let mut report = format!(
                "network {} with {}, by cnitool v{}\n\n== What is wrong\n",
                list.name,
                list.plugins.iter().map(|plugin| plugin.name.to_string()).collect::<Vec<_>>().join(", "),
                env!("CARGO_PKG_VERSION")
            );
            if findings.is_empty() {
                report += "nothing was found\n";
            }
            report.extend(findings.iter().map(|finding| format!("- {finding}\n")));
            report += &format!("\n== The trial\n{}", trial.summary());
            report += &format!("\n== What was asked of the kernel\n{}", trial.words());
            report += &format!("\n== The configuration\n{}\n", String::from_utf8_lossy(&list.bytes).trim());
            report += &node::report(&settings.runtime.cni_path)?;
            say(&report, *anonymous)?;
            Ok(findings.is_empty())
        }
        Options::Record(file) => record::switch(file.as_deref()).map(|()| true),
        Options::Replay { file, anonymous } => {
            let (report, is_good) = record::replay(file)?;
            say(&report, *anonymous)?;
            Ok(is_good)
        }
    }
}
