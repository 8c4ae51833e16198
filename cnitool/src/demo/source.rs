//! Which network the demonstration runs, and with which executables.

use std::path::{Path, PathBuf};

use cni_skel::delegate;
use cni_types::{Doing, Error, Json, PluginName, Result};

use crate::conflist::{NetworkList, dir};
use crate::settings;

/// The example file that is built in.
const NETWORK: &str = include_str!("../../../conf-examples/bridge-masquerade-dual-stack.conflist");

/// What is played.
pub(super) struct Source {
    /// The network.
    pub(super) list: NetworkList,
    /// The directories with the executables.
    pub(super) bin: Vec<PathBuf>,
    /// The executables' names, in the order they are run.
    pub(super) plugins: Vec<PluginName>,
}

impl Source {
    /// Whether the network's containers leave with the host's address.
    pub(super) fn masquerades(&self) -> bool {
        self.list.plugins.iter().any(|plugin| plugin.object.get("ipMasq") == Some(&Json::Bool(true)))
    }
}

/// Finds both, before anything is made.
///
/// # Errors
/// Code 5, 6 or 7 for the file; code 7 when an executable is missing.
pub(super) fn find(conflist: Option<&Path>) -> Result<Source> {
    let list = match conflist {
        Some(file) => dir::load(file)?,
        None => NetworkList::parse(NETWORK.as_bytes())?,
    };
    list.spec_version()?;
    let bin = directories()?;
    let mut plugins = Vec::new();
    for plugin in &list.plugins {
        plugins.push(plugin.name.clone());
        if let Some(name) = plugin.object.get("ipam").and_then(|ipam| ipam.get_str("type")) {
            plugins.push(PluginName::new(name)?);
        }
    }
    for plugin in &plugins {
        delegate::find(plugin, &bin)
            .map_err(|e| e.because("build the whole suite, or say in CNI_PATH where the executables are"))?;
    }
    Ok(Source { list, bin, plugins })
}

/// `CNI_PATH` where it is set, else the directory of this executable.
///
/// # Errors
/// Code 4 for a bad variable, code 5 when nobody knows where this executable is.
pub(super) fn directories() -> Result<Vec<PathBuf>> {
    if std::env::var_os("CNI_PATH").is_some_and(|path| !path.is_empty()) {
        // What does not exist holds no executable, and could not be kept in reach.
        return Ok(settings::cni_path()?.into_iter().filter(|dir| dir.is_dir()).collect());
    }
    let own = std::env::current_exe().doing("cannot find out where cnitool is")?;
    own.parent().map(|dir| vec![dir.to_owned()]).ok_or_else(|| Error::config("cnitool is in no directory"))
}
