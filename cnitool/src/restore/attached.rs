//! An attachment whose container lives, with all that its plugins have to be told.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use cni_net::Netns;
use cni_skel::{Attachment, Detachment};
use cni_types::{CniArgs, Doing, Json, Network, NetworkName, PluginName, Result, SpecVersion};

use crate::cache::Kept;
use crate::conflist::PluginConf;
use crate::request;

/// What ADD was told and what it returned.
pub(super) struct Attached<'a> {
    pub(super) kept: &'a Kept,
    netns: PathBuf,
    version: SpecVersion,
    result: Json,
    cni_path: &'a [PathBuf],
}

impl<'a> Attached<'a> {
    /// `None` when the container's namespace is gone, and with it what there was to restore.
    ///
    /// # Errors
    /// Code 8 when the namespace is there but cannot be entered; code 7 or 2 when the configuration's version cannot be
    /// had.
    pub(super) fn new(kept: &'a Kept, cni_path: &'a [PathBuf]) -> Result<Option<Self>> {
        let Some(netns) = Netns::find(kept.conf.netns.as_deref())? else { return Ok(None) };
        Self::in_namespace(kept, netns.path(), cni_path).map(Some)
    }

    /// The same, whether there is a namespace or not.
    ///
    /// # Errors
    /// As [`Attached::new`].
    pub(super) fn in_namespace(kept: &'a Kept, netns: &Path, cni_path: &'a [PathBuf]) -> Result<Self> {
        let version = kept.list.spec_version()?;
        let result = request::result_document(&kept.result, version)?;
        Ok(Self { kept, netns: netns.to_owned(), version, result, cni_path })
    }

    /// What the plugin is told in this chain.
    ///
    /// # Errors
    /// Code 6 or 7 for a configuration that is none.
    pub(super) fn network(&self, plugin: &PluginConf) -> Result<Network> {
        let args = &self.kept.conf.capability_args;
        let bytes = request::attachment(&self.kept.list, plugin, Some(&self.result), args);
        self.network_of(Json::parse(&bytes)?, &plugin.name)
    }

    /// What a delegate with this configuration is told.
    ///
    /// # Errors
    /// Code 7 when the configuration has no name that could be one.
    pub(super) fn network_of_delegate(&self, plugin: &PluginName, conf: Json) -> Result<Network> {
        self.network_of(conf, plugin).map(|network| network.after(self.result.clone()))
    }

    fn network_of(&self, conf: Json, plugin: &PluginName) -> Result<Network> {
        let name = NetworkName::new(conf.get_str("name").unwrap_or_default()).doing(plugin)?;
        let bytes = conf.compact().into_bytes();
        let mut network = Network::new(name, self.version, conf, bytes);
        network.cni_path = self.cni_path.to_owned();
        let args = self.kept.conf.args.iter().map(|(key, value)| format!("{key}={value}"));
        network.args = CniArgs::new(args.collect::<Vec<_>>().join(";"));
        Ok(network)
    }

    pub(super) fn attachment(&self, network: Network) -> Attachment {
        Attachment {
            id: self.kept.id.clone(),
            netns: self.netns.clone(),
            network,
            is_repeated: Cell::default(),
        }
    }

    pub(super) fn detachment(&self, network: Network) -> Detachment {
        Detachment { id: self.kept.id.clone(), netns: None, network }
    }
}
