//! The check that a runtime did not hand the plugin its own namespace.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cni_types::{Code, Error, Result};

/// # Errors
/// Code 8 when `path` is the namespace this thread is in. A path that cannot be looked at is no error here: the
/// plugin finds out when it opens it. Only `stat` is used, so a FIFO cannot hang the check.
pub(crate) fn refuse_own(path: &Path) -> Result<()> {
    let _looking = cni_trace::phase("namespace");
    let (Ok(own), Ok(given)) = (fs::metadata("/proc/thread-self/ns/net"), fs::metadata(path)) else {
        return Ok(());
    };
    if (own.dev(), own.ino()) != (given.dev(), given.ino()) {
        return Ok(());
    }
    Err(Error::new(Code::NETNS, "plugin's netns and netns from CNI_NETNS should not be the same")
        .because(format!("{} is the host's namespace", path.display())))
}
