//! What a trial needs and takes away again: a namespace with a name, a file for the trace, a result cache.

use std::fs;
use std::path::{Path, PathBuf};

use cni_types::{Doing, Result};
use nix::mount::{MntFlags, umount2};

use crate::demo::namespace;
use crate::trace::Run;

/// Where namespaces get their names, as `ip netns` does it.
const NETNS_DIR: &str = "/run/netns";

pub(super) struct Scratch {
    dir: PathBuf,
    pub(super) netns: PathBuf,
}

impl Scratch {
    /// # Errors
    /// Code 5 or 8: what could not be made.
    pub(super) fn new() -> Result<Self> {
        let name = format!("cnitool-debug-{}", std::process::id());
        let scratch = Self { dir: Path::new("/run").join(&name), netns: Path::new(NETNS_DIR).join(&name) };
        for dir in [Path::new(NETNS_DIR), &scratch.dir] {
            fs::create_dir_all(dir).doing(format!("cannot create {}", dir.display()))?;
        }
        namespace(&name)?;
        scratch.switch_on();
        Ok(scratch)
    }

    /// For the plugins that are run from here on, whatever the node's own switches are.
    fn switch_on(&self) {
        let log = self.log();
        // SAFETY: this process has one thread.
        unsafe {
            std::env::set_var("CNI_LOG", log);
            std::env::set_var("CNI_DEBUG", "1");
        }
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.dir.join("results")
    }

    /// The runs so far.
    pub(super) fn runs(&self) -> Vec<Run> {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().filter_map(Run::read).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = umount2(&self.netns, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.netns);
        let _ = fs::remove_dir_all(&self.dir);
    }
}
