//! One run of one plugin: the environment of the protocol (spec 1.1.0, section 2 "Parameters").

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use cni_skel::Delegates;
use cni_skel::delegate::Verb;
use cni_types::{AttachmentId, Code, ContainerId, Error, IfName, Json, Result};

use crate::conflist::{NetworkList, PluginConf};

/// Values for the capabilities that plugins declare.
pub type CapabilityArgs = BTreeMap<String, Json>;

/// One attachment of a container, without its network.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeConf {
    /// `CNI_CONTAINERID`
    pub container_id: ContainerId,
    /// `CNI_NETNS`; DEL can do without.
    pub netns: Option<PathBuf>,
    /// `CNI_IFNAME`
    pub ifname: IfName,
    /// `CNI_ARGS`
    pub args: Vec<(String, String)>,
    /// What becomes `runtimeConfig`.
    pub capability_args: CapabilityArgs,
}

impl RuntimeConf {
    /// The attachment's identity in a network.
    pub fn id(&self, list: &NetworkList) -> AttachmentId {
        AttachmentId {
            network: list.name.clone(),
            container_id: self.container_id.clone(),
            ifname: self.ifname.clone(),
        }
    }
}

/// Runs the plugin with `stdin`; without `conf` (GC, STATUS) the variables of an attachment are empty. All are set in
/// every case, so that none of this process's own shines through.
///
/// # Errors
/// Those of [`Delegates::run_with_env`]; code 4 when `cni_path` cannot be written as one variable.
pub fn exec(
    verb: Verb,
    plugin: &PluginConf,
    cni_path: &[PathBuf],
    stdin: &[u8],
    conf: Option<&RuntimeConf>,
) -> Result<Vec<u8>> {
    let path = std::env::join_paths(cni_path)
        .map_err(|e| Error::new(Code::ENVIRONMENT, "a directory of CNI_PATH holds a ':'").because(e))?;
    let args = conf.map(|conf| conf.args.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>());
    let args = args.unwrap_or_default().join(";");
    let netns = conf.and_then(|conf| conf.netns.clone()).map(OsString::from).unwrap_or_default();
    let env: [(&str, &OsStr); 5] = [
        ("CNI_CONTAINERID", conf.map_or("", |conf| conf.container_id.as_str()).as_ref()),
        ("CNI_NETNS", &netns),
        ("CNI_ARGS", args.as_ref()),
        ("CNI_IFNAME", conf.map_or("", |conf| conf.ifname.as_str()).as_ref()),
        ("CNI_PATH", &path),
    ];
    Delegates::default().run_with_env(verb, &plugin.name, cni_path, stdin, &env)
}
