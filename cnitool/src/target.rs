//! What the command line names.

use std::path::PathBuf;

/// One attachment, as the command line names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) network: String,
    pub(crate) netns: PathBuf,
    pub(crate) ifname: Option<String>,
}
