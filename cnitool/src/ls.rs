//! `cnitool ls`: every attachment of this node, and whether it is as it should be.

mod document;
mod list;
mod options;
mod row;
mod watch;

use cni_types::Result;

use crate::attachments::Survey;
use crate::cache::Cache;
use crate::settings;
use crate::terminal::Terminal;

pub(crate) use options::{Format, Options};

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
    Ok(list::list(&survey, options, &Terminal::of_stdout()))
}
