//! `cnitool trace`: the lines that plugins write where `CNI_LOG` or `/run/cni/log.conf` says so, for people and for
//! collectors.

mod chart;
mod lines;
mod operation;
mod otlp;
mod run;
mod show;
mod words;

use std::path::{Path, PathBuf};

use cni_types::{Error, Result};

use lines::Lines;
pub(crate) use operation::operation;
pub(crate) use run::Run;
pub(crate) use show::text;

/// What is made of the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line for each run.
    #[default]
    Text,
    /// With what was asked of the kernel, in the words of `ip`, `bridge`, `tc` and `nft`.
    Words,
    /// A span for each run and phase, as OTLP/HTTP takes them.
    Otlp,
    /// A waterfall of the last operation.
    Chart,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) form: Form,
    pub(crate) follow: bool,
    /// `-` is stdin.
    pub(crate) file: Option<PathBuf>,
}

/// Prints what `options` ask for.
///
/// # Errors
/// Code 4 when nothing says which file; code 5 when it cannot be read, or stdout not written; code 7 without a run to
/// draw.
pub(crate) fn run(options: &Options, print: &dyn Fn(&str) -> Result<()>) -> Result<()> {
    let file = options.file.clone().map_or_else(configured, Ok)?;
    let mut lines = Lines::open(&file, options.follow)?;
    match options.form {
        Form::Text | Form::Words => {
            let with_words = options.form == Form::Words;
            while let Some(line) = lines.next(options.follow)? {
                if let Some(run) = Run::read(&line) {
                    print(&text(&run, with_words))?;
                }
            }
            Ok(())
        }
        Form::Otlp => print(&(otlp::document(&all(&mut lines)?) + "\n")),
        Form::Chart => {
            let runs = all(&mut lines)?;
            let operation = run::last_operation(&runs);
            if operation.is_empty() {
                return Err(Error::config(format!("there is no run in {}", file.display())));
            }
            print(&chart::svg(&operation))
        }
    }
}

fn all(lines: &mut Lines) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    while let Some(line) = lines.next(false)? {
        runs.extend(Run::read(&line));
    }
    Ok(runs)
}

/// The file that the lines are in, where there is one.
pub(crate) fn log_file() -> Option<PathBuf> {
    configured().ok().filter(|file| file.is_file())
}

/// Where the switches say that the lines are.
fn configured() -> Result<PathBuf> {
    let text = std::fs::read_to_string(cni_trace::SWITCHES).unwrap_or_default();
    let named = text.lines().filter_map(|line| line.split_once('='));
    let mut named =
        named.filter(|(name, _)| name.trim() == "CNI_LOG").map(|(_, value)| value.trim().to_owned());
    let place = std::env::var("CNI_LOG").ok().or_else(|| named.next_back()).unwrap_or_default();
    if Path::new(&place).is_absolute() {
        return Ok(place.into());
    }
    let next = match place.as_str() {
        "journal" => "journalctl -o cat SYSLOG_IDENTIFIER=cni | cnitool trace -",
        _ => "name a file, or - for stdin",
    };
    Err(Error::new(cni_types::Code::ENVIRONMENT, "nothing says where traces are")
        .because(format!("CNI_LOG, here or in {}, names no file; {next}", cni_trace::SWITCHES)))
}
