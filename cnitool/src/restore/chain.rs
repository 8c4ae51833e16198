//! All plugins of one attachment, in the order of its list.

use std::path::{Path, PathBuf};

use cni_part::PartPlugin;
use cni_plugins::PART_PLUGINS;
use cni_skel::{Delegates, Plugin};
use cni_types::{Code, Error, Json, Network, PluginName, Result};

use super::attached::Attached;
use crate::cache::Kept;
use crate::conflist::PluginConf;

/// What became of one attachment.
pub(super) enum Outcome {
    /// Its container is gone.
    Gone,
    /// Everything was as ADD had made it.
    Whole,
    /// What was put back, and what could not be.
    Changed { put_back: Vec<&'static str>, failed: Vec<Error> },
}

impl Outcome {
    pub(super) fn of(put_back: Vec<&'static str>, failed: Vec<Error>) -> Self {
        if put_back.is_empty() && failed.is_empty() {
            Self::Whole
        } else {
            Self::Changed { put_back, failed }
        }
    }
}

/// Plugins behind one that cannot be restored are not looked at: what they add to may not be there.
pub(super) fn restore(attached: &Attached<'_>) -> Outcome {
    let (mut put_back, mut failed) = (Vec::new(), Vec::new());
    for conf in &attached.kept.list.plugins {
        match restorable(attached, conf) {
            Ok(None) => {}
            Ok(Some((plugin, network))) => {
                let restored = plugin.restore(&attached.attachment(network));
                put_back.extend(restored.put_back);
                failed.extend(restored.failed.map(|error| error.doing(&conf.name)));
            }
            Err(error) => failed.push(error.doing(&conf.name)),
        }
        if !failed.is_empty() {
            break;
        }
    }
    Outcome::of(put_back, failed)
}

/// The plugin that made the parts, with what it was told: flannel's are its delegate's. `None` for one that is not of this
/// suite, or keeps books only.
fn restorable(attached: &Attached<'_>, conf: &PluginConf) -> Result<Option<(&'static PartPlugin, Network)>> {
    let network = attached.network(conf)?;
    let Some(plugin) = find(&conf.name) else { return Ok(None) };
    if plugin.name != plugin_flannel::FLANNEL.name {
        return Ok(Some((plugin, network)));
    }
    let saved: Option<(PluginName, Json)> = plugin_flannel::delegate(&network, &attached.kept.id)?;
    let Some((name, conf)) = saved else {
        return Err(Error::new(Code::CHECK, "there is no saved configuration of the attachment"));
    };
    let Some(delegate) = find(&name) else { return Ok(None) };
    Ok(Some((delegate, attached.network_of_delegate(&name, conf)?)))
}

fn find(name: &PluginName) -> Option<&'static PartPlugin> {
    PART_PLUGINS.into_iter().find(|plugin| plugin.name == name.as_str())
}

/// A DEL that ran meanwhile has looked before something was put back: that goes again.
pub(super) fn take_back(kept: &Kept, cni_path: &[PathBuf], outcome: Outcome) -> Outcome {
    let Outcome::Changed { put_back, mut failed } = outcome else { return outcome };
    if !put_back.is_empty() {
        failed.extend(remove(kept, cni_path).err().map(|e| e.doing("the container went meanwhile")));
    }
    if failed.is_empty() { Outcome::Gone } else { Outcome::Changed { put_back: Vec::new(), failed } }
}

fn remove(kept: &Kept, cni_path: &[PathBuf]) -> Result<()> {
    let attached = Attached::in_namespace(kept, Path::new(""), cni_path)?;
    Error::all(kept.list.plugins.iter().rev().map(|conf| {
        let Some((plugin, network)) = restorable(&attached, conf)? else { return Ok(()) };
        plugin.del(&attached.detachment(network), &Delegates::default())
    }))
}
