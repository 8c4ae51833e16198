//! What is asked of `install`.

use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Into which directory.
    pub(crate) dir: PathBuf,
    /// From which; without it the one that `cnitool` is in.
    pub(crate) from: Option<PathBuf>,
    /// These plugins; all that are there when empty.
    pub(crate) plugins: Vec<String>,
    /// What has a file there is left alone.
    pub(crate) only_missing: bool,
    /// Newer and foreign executables are replaced too.
    pub(crate) force: bool,
    /// Nothing is written: what differs is an error.
    pub(crate) verify: bool,
    /// After a success, do not end before a signal says so.
    pub(crate) stay: bool,
}
