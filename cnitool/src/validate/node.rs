//! What configurations need of this node: executables that speak their version, links, a kernel that has what it takes,
//! and plugins that say they could work.

mod kernel;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cni_net::Rtnl;
use cni_skel::delegate;
use cni_types::{PluginName, SpecVersion};

use super::document::Node;
use super::file::Checked;
use super::finding::{Severity, Sheet, Spot};
use super::network::Plugin;
use crate::cache::Cache;
use crate::chain::Runtime;
use crate::conflist::{NetworkList, dir};
use crate::executable::{Executable, PLUGINS};

/// Checks all networks against the node.
pub(crate) fn check(sheet: &mut Sheet, networks: &[Checked], cni_path: &[PathBuf]) {
    let rtnl = Rtnl::open();
    let mut executables = Executables { dirs: cni_path, found: BTreeMap::new() };
    if let Some(first) = networks.first().filter(|_| kernel::is_silent()) {
        let text =
            "kernel options are not checked: neither /boot nor /lib/modules tells what this kernel has";
        sheet.of_file(Severity::Note, "kernel-option", first.network.file, text.into());
    }
    for network in networks.iter().map(|checked| &checked.network) {
        for plugin in &network.plugins {
            executables.check(sheet, plugin, &network.versions());
            kernel::check(sheet, plugin);
            if let (Ok(rtnl), true) = (&rtnl, plugin.declared().is_some()) {
                master(sheet, plugin, rtnl);
            }
        }
        if !sheet.has_error(network.file) {
            status(sheet, network.file, &network.spot(), cni_path);
        }
    }
}

/// The executables that were looked for, each once, with the versions of the specification that they speak; empty where
/// they do not say.
struct Executables<'a> {
    dirs: &'a [PathBuf],
    found: BTreeMap<String, Vec<String>>,
}

impl Executables<'_> {
    fn check(&mut self, sheet: &mut Sheet, plugin: &Plugin, versions: &[&str]) {
        self.find(sheet, plugin.kind(), &plugin.head(), versions);
        if let (Some(ipam), Some(kind)) = (plugin.ipam(), plugin.ipam_kind()) {
            let spot = plugin.spot_of("ipam");
            self.find(sheet, kind, &spot.key(ipam, "type"), versions);
        }
    }

    /// It is there, and speaks one of the versions that the network may be of.
    fn find(&mut self, sheet: &mut Sheet, name: &str, at: &Spot, versions: &[&str]) {
        if name.is_empty() {
            return;
        }
        let found = PluginName::new(name).and_then(|name| delegate::find(&name, self.dirs));
        let path = match found {
            Ok(path) => path,
            Err(error) => {
                sheet.error("missing-executable", at, error.to_string());
                return;
            }
        };
        let dir = path.parent().unwrap_or_else(|| Path::new("/"));
        let spoken = match self.found.get(name) {
            Some(spoken) => spoken,
            None => self.found.entry(name.to_owned()).or_insert_with(|| installed(sheet, dir, name, at)),
        };
        let is_spoken = |version: &&str| spoken.iter().any(|spoken| spoken == *version);
        if !spoken.is_empty() && !versions.is_empty() && !versions.iter().any(is_spoken) {
            let text = format!(
                "{name} in {} does not speak cniVersion {}, which is asked of it: install one that does, or write {} at most",
                dir.display(),
                versions.join(", "),
                spoken.last().map(String::as_str).unwrap_or_default(),
            );
            sheet.error("wrong-executable", at, text);
        }
    }
}

/// Notes whose it is; gives the versions that it speaks.
fn installed(sheet: &mut Sheet, dir: &Path, name: &str, at: &Spot) -> Vec<String> {
    // What is not ours is not run.
    let Some(executable) = PLUGINS.contains(&name).then(|| Executable::find(dir, name)).flatten() else {
        sheet.note("installed", at, format!("{name} is in {}", dir.display()));
        return Vec::new();
    };
    let versions = executable.spec_versions();
    sheet.note(
        "installed",
        at,
        format!("{name} is {} in {}, CNI {versions}", executable.origin, dir.display()),
    );
    let versions = versions.split(", ").filter(|version| SpecVersion::find(version).is_some());
    versions.map(str::to_owned).collect()
}

/// The link it is on has to be there, with room for its packets.
fn master(sheet: &mut Sheet, plugin: &Plugin, rtnl: &Rtnl) {
    let node = plugin.node();
    let Some(name) = node.text_of("master").filter(|_| !node.is_true("linkInContainer")) else { return };
    match rtnl.find_link(name) {
        Ok(Some(link)) => {
            let mtu = node.get("mtu").and_then(Node::number).filter(|mtu| *mtu > i64::from(link.mtu));
            if let Some(mtu) = mtu {
                let text = format!("{mtu} is above the MTU of {name}, {}", link.mtu);
                sheet.error("mtu-above-master", &plugin.spot_of("mtu"), text);
            }
        }
        Ok(None) => {
            sheet.error(
                "no-master",
                &plugin.spot_of("master"),
                format!("there is no link {name} on this node"),
            );
        }
        Err(error) => {
            sheet.warn("no-master", &plugin.spot_of("master"), error.to_string());
        }
    }
}

/// What the plugins themselves say.
fn status(sheet: &mut Sheet, file: usize, spot: &Spot, cni_path: &[PathBuf]) {
    let Some(list) = list(sheet.files[file].path.as_deref(), &sheet.files[file].text) else { return };
    let runtime = Runtime { cni_path: cni_path.to_vec(), cache: Cache::default() };
    let at = spot.at(&(spot.place.start..spot.place.start + 1));
    match runtime.status(&list) {
        // Below that there is no STATUS.
        Ok(()) if list.spec_version().is_ok_and(|version| version < SpecVersion::V1_1_0) => {}
        Ok(()) => {
            sheet.of_file(Severity::Note, "status", file, "its plugins say that they could work".into());
        }
        Err(error) => {
            sheet.error("status", &at, error.to_string());
        }
    }
}

fn list(path: Option<&Path>, text: &str) -> Option<NetworkList> {
    match path.filter(|path| dir::has_extension(path, &["conflist"])) {
        Some(path) => dir::load(path).ok(),
        None => {
            NetworkList::parse(text.as_bytes()).or_else(|_| NetworkList::from_single(text.as_bytes())).ok()
        }
    }
}
