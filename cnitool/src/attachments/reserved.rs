//! The reservations of host-local, as the files say: `<dataDir>/<network>/<address>`, in it the container's id and, on
//! the next line, the interface's name.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cni_types::{ContainerId, IfName, Json, NetworkName};

use crate::conflist::NetworkList;

/// Where the reservations are unless `ipam.dataDir` says otherwise.
const DATA_DIR: &str = "/var/lib/cni/networks";

/// One reserved address.
#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub(crate) ip: IpAddr,
    pub(crate) container_id: ContainerId,
    /// Versions of the reference before 2019 wrote none.
    pub(crate) ifname: Option<IfName>,
}

/// The network's reservations. What cannot be read is in `missing`.
pub(crate) fn reservations(
    name: &NetworkName,
    list: Option<&NetworkList>,
    missing: &mut Vec<String>,
) -> Vec<Reservation> {
    let mut all = Vec::new();
    for dir in data_dirs(list).into_iter().map(|dir| dir.join(name.as_str())) {
        match files(&dir) {
            Ok(files) => {
                for (ip, file) in files {
                    match read(ip, &file) {
                        Ok(found) => all.extend(found),
                        Err(e) => missing.push(format!("the reservation {}: {e}", file.display())),
                    }
                }
            }
            Err(e) => missing.push(format!("the reservations in {}: {e}", dir.display())),
        }
    }
    all
}

/// The networks that have a directory in the default place.
pub(super) fn networks() -> Vec<NetworkName> {
    let entries = fs::read_dir(DATA_DIR).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| NetworkName::new(entry.file_name().to_str()?).ok()).collect()
}

/// The default directory too: the list may have been changed.
fn data_dirs(list: Option<&NetworkList>) -> BTreeSet<PathBuf> {
    let plugins = list.into_iter().flat_map(|list| &list.plugins);
    let said = plugins.filter_map(|plugin| match plugin.object.get("ipam")?.get("dataDir")? {
        Json::String(dir) if !dir.is_empty() => Some(PathBuf::from(dir)),
        _ => None,
    });
    said.chain([PathBuf::from(DATA_DIR)]).collect()
}

fn files(dir: &Path) -> io::Result<Vec<(IpAddr, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let of_address = |path: PathBuf| Some((path.file_name()?.to_str()?.parse().ok()?, path));
    Ok(entries.filter_map(|entry| of_address(entry.ok()?.path())).collect())
}

/// `None` for what is gone, or is nobody's: the reference may leave an empty file.
fn read(ip: IpAddr, file: &Path) -> io::Result<Option<Reservation>> {
    let text = match fs::read_to_string(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let mut lines = text.lines().map(str::trim);
    let container_id = lines.next().and_then(|id| ContainerId::new(id).ok());
    let ifname = lines.next().and_then(|name| IfName::new(name).ok());
    Ok(container_id.map(|container_id| Reservation { ip, container_id, ifname }))
}
