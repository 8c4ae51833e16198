//! The plugin side of the protocol: what a plugin implements, and the dispatch that owns everything around it.

use std::cell::Cell;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use cni_types::{AttachmentId, CniResult, Network, Result, SpecVersion};

use crate::delegate::Delegates;
use crate::dispatch::dispatch;
use crate::stdio::{Stderr, Stdin, Stdout};

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

/// Runs `plugin` on the process's environment and standard streams: the whole body of a plugin's `main`. `in_process` are
/// the plugins beside it in this executable.
pub fn run(plugin: &dyn Plugin, in_process: &'static [&'static dyn Plugin]) -> ExitCode {
    let env = |name: &str| std::env::var_os(name);
    let delegates = Delegates::new(in_process);
    dispatch(plugin, &delegates, &env, &mut Stdin, &mut Stdout, &mut Stderr).into()
}
