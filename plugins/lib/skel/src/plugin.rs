//! What a plugin implements, and what it is given.

use std::cell::Cell;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use cni_types::{AttachmentId, CniResult, Network, Result, SpecVersion};

/// ADD and CHECK: an interface of a container whose namespace is known.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Which attachment.
    pub id: AttachmentId,
    /// `CNI_NETNS`, as given; not opened yet.
    pub netns: PathBuf,
    /// Its network.
    pub network: Network,
    /// Set by an ADD that finds the attachment made by one before it, which it repeats. If its result cannot be told,
    /// nothing is taken back: what there is, is the earlier one's.
    pub is_repeated: Cell<bool>,
}

/// DEL: the container's namespace may be unknown or gone.
#[derive(Debug, Clone)]
pub struct Detachment {
    /// Which attachment.
    pub id: AttachmentId,
    /// `CNI_NETNS`, when the runtime still has one.
    pub netns: Option<PathBuf>,
    /// Its network.
    pub network: Network,
}

impl Detachment {
    /// What ADD returned, where the runtime says it again and it can be read: a hint, which DEL does without.
    pub fn result_hint(&self) -> Option<CniResult> {
        self.network.prev_result().ok().flatten()
    }

    /// Its addresses.
    pub fn address_hints(&self) -> Vec<IpAddr> {
        let result = self.result_hint().unwrap_or_default();
        result.ips.iter().map(|ip| ip.address.ip()).collect()
    }
}

/// What VERSION and the about line say.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The executable's name, also the `type` in configurations.
    pub name: &'static str,
    /// The specification versions the plugin accepts.
    pub versions: &'static [SpecVersion],
}

/// A CNI plugin. Methods are synchronous, return values and never print; every verb has to be thought about, so none
/// has a default body. `delegates` are the plugins that it may run, in this process or in another.
pub trait Plugin {
    /// Name and versions.
    fn about(&self) -> About;

    /// Makes the attachment. On failure nothing may be left behind (see [`crate::Undo`]).
    ///
    /// # Errors
    /// What could not be made, and why.
    fn add(&self, attachment: &Attachment, delegates: &Delegates) -> Result<CniResult>;

    /// Compares the attachment with the configuration's prevResult.
    ///
    /// # Errors
    /// The first difference: what was expected and what is there.
    fn check(&self, attachment: &Attachment, delegates: &Delegates) -> Result<()>;

    /// Removes the attachment and all its host state; what is gone already is success.
    ///
    /// # Errors
    /// What could not be removed, after everything else was.
    fn del(&self, detachment: &Detachment, delegates: &Delegates) -> Result<()>;

    /// Removes what belongs to attachments of this network outside [`Network::valid_attachments`].
    ///
    /// # Errors
    /// What could not be removed, after everything else was.
    fn gc(&self, network: &Network, delegates: &Delegates) -> Result<()>;

    /// Probes what ADD would need.
    ///
    /// # Errors
    /// Code 50 (or 51) with the reason why ADD would fail.
    fn status(&self, network: &Network, delegates: &Delegates) -> Result<()>;
}

/// The plugins that a plugin may run: whatever `CNI_PATH` has. One of them that is of the same build, and in this
/// executable too, is called as a function; all others are executed. It makes no difference but in cost.
#[derive(Clone, Default)]
pub struct Delegates {
    pub(crate) in_process: &'static [&'static dyn Plugin],
    /// What the environment of the plugin that runs them has otherwise than the process's.
    pub(crate) env: Vec<(String, OsString)>,
    /// How many plugins wait for the one that runs them.
    pub(crate) depth: u8,
}

impl Delegates {
    /// With these in the executable. The default is none.
    pub const fn new(in_process: &'static [&'static dyn Plugin]) -> Self {
        Self { in_process, env: Vec::new(), depth: 0 }
    }

    /// A variable of the environment of the plugin that these are for.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        let replaced = self.env.iter().find(|(there, _)| there == name).map(|(_, value)| value.clone());
        replaced.or_else(|| std::env::var_os(name))
    }
}

impl fmt::Debug for Delegates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.in_process.iter().map(|plugin| plugin.about().name).collect();
        f.debug_struct("Delegates")
            .field("in_process", &names)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}
