//! The VLANs a port has.

use cni_netlink::attr::{Attrs, each, find, host16, host32};
use cni_netlink::{Precision, Request};
use cni_types::{Result, sort_by};

use super::{IFLA_BRIDGE_VLAN_INFO, PVID, Vlan};
use crate::link::IFLA_EXT_MASK;
use crate::link::request::about_port;
use crate::rtnl::Rtnl;

/// `RTM_GETVLAN` (`linux/rtnetlink.h`, Linux 5.6)
const RTM_GETVLAN: u16 = 114;
/// `BRIDGE_VLANDB_ENTRY` and inside it `_ENTRY_INFO`, `_ENTRY_RANGE`
const BRIDGE_VLANDB_ENTRY: u16 = 1;
const BRIDGE_VLANDB_ENTRY_INFO: u16 = 1;
const BRIDGE_VLANDB_ENTRY_RANGE: u16 = 2;
/// Size of `struct br_vlan_msg`.
const HEADER: usize = 8;
/// `RTEXT_FILTER_BRVLAN` (`linux/rtnetlink.h`): ports with their VLANs, each by itself.
const WITH_VLANS: u32 = 1 << 1;
/// Size of `struct ifinfomsg`.
const LINK_HEADER: usize = 16;

/// The VLANs of the port with this index, in order. Empty on a bridge that does not filter.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn list(host: &Rtnl, index: u32) -> Result<Vec<Vlan>> {
    let mut header = [0; HEADER];
    header[0] = libc::AF_BRIDGE.to_le_bytes()[0];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    let doing = format!("list the VLANs of the bridge port with index {index}");
    let list = Request::new(doing, RTM_GETVLAN, 0, Attrs::behind(&header));
    let mut vlans: Vec<_> = match host.socket.list(&list, Precision::Exact, vlans) {
        Err(refused) if refused.is_unsupported() => by_links(host, index)?,
        lists => lists?.into_iter().flatten().collect(),
    };
    sort_by(&mut vlans, |a, b| a < b);
    Ok(vlans)
}

/// Kernels before 5.6 tell VLANs along with all bridge ports, and only so.
fn by_links(host: &Rtnl, index: u32) -> Result<Vec<Vlan>> {
    let mut body = about_port(0);
    body.host32(IFLA_EXT_MASK, WITH_VLANS);
    let list = Request::new("list the bridge ports with their VLANs", libc::RTM_GETLINK, 0, body);
    let of_port = |message: &[u8]| {
        let is_it = message.get(4..).and_then(host32) == Some(index);
        let spec = find(message.get(LINK_HEADER..)?, libc::IFLA_AF_SPEC).filter(|_| is_it)?;
        let infos = each(spec).filter(|(kind, _)| *kind == IFLA_BRIDGE_VLAN_INFO);
        Some(infos.filter_map(|(_, info)| vlan(info)).collect::<Vec<_>>())
    };
    Ok(host.socket.list(&list, Precision::Exact, of_port)?.into_iter().flatten().collect())
}

/// `struct bridge_vlan_info`: flags and id.
fn vlan(info: &[u8]) -> Option<Vlan> {
    Some(Vlan { id: host16(info.get(2..)?)?, native: host16(info)? & PVID != 0 })
}

fn vlans(message: &[u8]) -> Option<Vec<Vlan>> {
    let entries = each(message.get(HEADER..)?).filter(|(kind, _)| *kind == BRIDGE_VLANDB_ENTRY);
    let ranges = entries.filter_map(|(_, entry)| {
        let first = find(entry, BRIDGE_VLANDB_ENTRY_INFO).and_then(vlan)?;
        let last = find(entry, BRIDGE_VLANDB_ENTRY_RANGE).and_then(host16).unwrap_or(first.id);
        Some((first.id..=last).map(move |id| Vlan { id, ..first }))
    });
    Some(ranges.flatten().collect())
}
