//! Questions of STATUS whose answers hold as long as the tools and the ruleset are what they are.

use std::os::unix::fs::MetadataExt;

use cni_types::{Family, Result};

use crate::Filter;
use crate::iptables::{Tool, legacy_is_loaded};

impl Filter {
    /// [`cni_skel::ask_once`] about the packet filter: again when an iptables was replaced, a legacy table came or went, or
    /// the ruleset of nftables has changed, of which a layout that is in the way is part.
    ///
    /// # Errors
    /// Those of `ask`.
    pub fn ask_once(&self, what: &str, ask: impl FnOnce() -> Result<()>) -> Result<()> {
        let ruleset = self.nftables_if_present().ok().flatten().and_then(|socket| socket.generation().ok());
        let tools = Family::ALL.map(|family| {
            let path = Tool::find(family, "restore", false).ok().map(|tool| tool.path().to_owned());
            let file = path.as_ref().and_then(|path| path.metadata().ok());
            (
                path,
                file.map(|file| (file.dev(), file.ino(), file.mtime(), file.size())),
                legacy_is_loaded(family),
            )
        });
        let namespace = std::fs::metadata("/proc/thread-self/ns/net").ok().map(|file| file.ino());
        cni_skel::ask_once(what, &format!("{namespace:?} {ruleset:?} {tools:?}"), ask)
    }
}
