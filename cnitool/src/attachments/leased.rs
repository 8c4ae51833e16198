//! The leases of the dhcp daemon, as its files say: one each in `<socket>.leases`. The reference's daemon writes none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use cni_skel::read_own;
use cni_types::{AttachmentId, ContainerId, IfName, Json, NetworkName};
use serde::Deserialize;

use crate::conflist::NetworkList;

/// The daemon's socket unless `ipam.daemonSocketPath` says otherwise.
const SOCKET: &str = "/run/cni/dhcp.sock";

/// One lease.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lease {
    pub(super) id: AttachmentId,
    pub(super) address: Ipv4Addr,
}

/// The keys that say whose and what it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    network: String,
    #[serde(rename = "containerID")]
    container_id: String,
    ifname: String,
    address: String,
}

/// Those of all daemons that the networks name. What cannot be read is in `missing`.
pub(super) fn leases(networks: &BTreeMap<NetworkName, NetworkList>, missing: &mut Vec<String>) -> Vec<Lease> {
    let mut found = Vec::new();
    for dir in dirs(networks) {
        let files = files(&dir).unwrap_or_else(|e| {
            missing.push(format!("the leases in {}: {e}", dir.display()));
            Vec::new()
        });
        for file in files {
            match read_own(&file) {
                Ok(bytes) => match Lease::read(&bytes) {
                    Some(lease) => found.push(lease),
                    None => missing.push(format!("the lease {}: it is none", file.display())),
                },
                // It has ended meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => missing.push(format!("the lease {}: {e}", file.display())),
            }
        }
    }
    found
}

impl Lease {
    fn read(bytes: &[u8]) -> Option<Self> {
        let keys: Keys = Json::parse(bytes).ok()?.decode().ok()?;
        let id = AttachmentId {
            network: NetworkName::new(&keys.network).ok()?,
            container_id: ContainerId::new(&keys.container_id).ok()?,
            ifname: IfName::new(&keys.ifname).ok()?,
        };
        Some(Self { id, address: keys.address.parse().ok()? })
    }
}

fn dirs(networks: &BTreeMap<NetworkName, NetworkList>) -> BTreeSet<PathBuf> {
    let plugins = networks.values().flat_map(|list| &list.plugins);
    let named = plugins.filter_map(|plugin| plugin.object.get("ipam")?.get_str("daemonSocketPath"));
    let sockets = named.filter(|path| !path.is_empty()).chain([SOCKET]);
    sockets.map(|socket| PathBuf::from(format!("{socket}.leases"))).collect()
}

/// All but drafts.
fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_lease =
        |path: &PathBuf| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_lease).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lease_is_none() {
        let lease = |keys: &str| Lease::read(format!("{{{keys}}}").as_bytes());
        let whose = r#""network":"n","containerID":"c","ifname":"eth0""#;
        let found = lease(&format!(r#"{whose},"address":"10.1.2.3","held":null"#)).unwrap();
        assert_eq!((found.id.ifname.as_str(), found.address), ("eth0", Ipv4Addr::new(10, 1, 2, 3)));
        for wrong in ["", whose, r#""address":"10.1.2.3""#, &format!(r#"{whose},"address":"fd00::1""#)] {
            assert_eq!(lease(wrong), None, "{wrong}");
        }
    }
}
