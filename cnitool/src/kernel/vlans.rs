//! The VLANs that bridges let through their ports.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_route::link::{
    AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute, LinkExtentMask, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::packet_core::Parseable;

use super::conversation::{Answers, Conversation};

/// The VLANs of each port of this namespace's bridges, by the port's index: a PVID, or a tagged one.
///
/// # Errors
/// The kernel's.
pub(crate) fn port_vlans() -> io::Result<BTreeMap<u32, Vec<u16>>> {
    let mut question = LinkMessage::default();
    question.header.interface_family = AddressFamily::Bridge;
    question.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Brvlan]));
    let mut answers = Answers::new();
    let mut kernel = Conversation::open(&mut answers)?;
    let mut ports = BTreeMap::new();
    for port in kernel.list(&RouteNetlinkMessage::GetLink(question), LinkMessage::parse)? {
        for attribute in &port.attributes {
            if let LinkAttribute::AfSpecBridge(specs) = attribute {
                ports.insert(port.header.index, vlans(specs));
            }
        }
    }
    Ok(ports)
}

fn vlans(specs: &[AfSpecBridge]) -> Vec<u16> {
    let infos = specs.iter().filter_map(|spec| match spec {
        AfSpecBridge::VlanInfo(info) => Some(info),
        _ => None,
    });
    let mut vlans = Vec::new();
    let mut first = None;
    for BridgeVlanInfo { flags, vid } in infos {
        if flags.contains(BridgeVlanInfoFlags::RangeBegin) {
            first = Some(*vid);
        } else {
            vlans.extend(first.take().unwrap_or(*vid)..=*vid);
        }
    }
    vlans
}
