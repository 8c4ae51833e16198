//! The list, in each of its forms.

use super::document;
use super::options::{Format, Options};
use super::row::{self, Row, Width};
use crate::attachments::{Attachment, Survey};
use crate::terminal::Terminal;

/// Those that are asked for.
pub(super) fn list(survey: &Survey, options: &Options, terminal: &Terminal) -> String {
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
