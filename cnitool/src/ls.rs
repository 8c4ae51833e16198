//! `cnitool ls`: every attachment of this node, and whether it is as it should be.

mod document;
mod row;
mod watch;

use cni_types::Result;

use crate::attachments::{Attachment, Survey};
use crate::cache::Cache;
use crate::settings;
use crate::terminal::Terminal;

use row::{Row, Width};

/// How the list is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// What matters most, for a terminal.
    #[default]
    Table,
    /// Everything, uncut.
    Wide,
    /// For programs.
    Json,
    /// `network/container/ifname`, one on a line.
    Name,
}

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) format: Format,
    /// Only those of this network.
    pub(crate) network: Option<String>,
    /// Goes on, and says what changes.
    pub(crate) watch: bool,
}

/// The list as text. What could not be looked at goes to stderr, but for JSON, which has it.
///
/// # Errors
/// Code 4 for a bad variable.
pub(crate) fn run(options: &Options) -> Result<String> {
    if options.watch {
        return watch::run(options).map(|()| String::new());
    }
    let survey = Survey::take(&Cache::default(), &settings::net_dir()?);
    if options.format != Format::Json {
        for missing in &survey.missing {
            cni_skel::tell(format_args!("cannot be seen: {missing}"));
        }
    }
    Ok(text(&survey, options, &Terminal::of_stdout()))
}

fn text(survey: &Survey, options: &Options, terminal: &Terminal) -> String {
    let all: Vec<&Attachment> = match &options.network {
        Some(network) => survey.of(network).collect(),
        None => survey.attachments.iter().collect(),
    };
    match options.format {
        Format::Json => document::document(&all, &survey.missing),
        Format::Name => all.iter().map(|attachment| format!("{}\n", row::name(attachment))).collect(),
        Format::Table => {
            row::table(&all.iter().map(|a| Row::new(a, Width::Short)).collect::<Vec<_>>(), terminal)
        }
        Format::Wide => {
            row::table(&all.iter().map(|a| Row::new(a, Width::Full)).collect::<Vec<_>>(), &terminal.endless())
        }
    }
}
