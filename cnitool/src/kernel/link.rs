//! One link.

use std::net::IpAddr;

use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

/// One link of a namespace, with its addresses.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// The owner's tag, where it is one of ours.
    pub(crate) alias: Option<String>,
    /// `veth`, `bridge`, `vlan`, …; empty for hardware.
    pub(crate) kind: String,
    /// That of its root, such as `tbf`.
    pub(crate) qdisc: String,
    /// Empty where there is none.
    pub(crate) mac: String,
    /// Bytes.
    pub(crate) mtu: u32,
    pub(crate) is_up: bool,
    pub(crate) has_carrier: bool,
    /// The bridge or VRF that it is a port of.
    pub(crate) master: Option<u32>,
    /// What it is on, or its other end: in [`Link::other_namespace`], if that is said.
    pub(crate) other: Option<u32>,
    /// That of the other link, by this namespace's number for it.
    pub(crate) other_namespace: Option<i32>,
    /// 802.1Q, of a link of kind `vlan`.
    pub(crate) vlan: Option<u16>,
    /// A bridge's `vlan_filtering`.
    pub(crate) filters_vlans: bool,
    /// Addresses with the lengths of their prefixes.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
}

impl Link {
    pub(super) fn read(message: LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            is_up: flags.contains(LinkFlags::Up),
            has_carrier: flags.contains(LinkFlags::LowerUp),
            ..Self::default()
        };
        for attribute in message.attributes {
            link.take(attribute);
        }
        link
    }

    fn take(&mut self, attribute: LinkAttribute) {
        match attribute {
            LinkAttribute::IfName(name) => self.name = name,
            LinkAttribute::IfAlias(alias) => self.alias = Some(alias),
            LinkAttribute::Qdisc(kind) => self.qdisc = kind,
            LinkAttribute::Mtu(mtu) => self.mtu = mtu,
            LinkAttribute::Controller(index) => self.master = Some(index),
            LinkAttribute::Link(index) => self.other = Some(index),
            LinkAttribute::LinkNetNsId(number) => self.other_namespace = Some(number),
            LinkAttribute::Address(bytes) => {
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                self.mac = digits.join(":");
            }
            LinkAttribute::LinkInfo(infos) => infos.into_iter().for_each(|info| self.take_info(info)),
            _ => {}
        }
    }

    fn take_info(&mut self, info: LinkInfo) {
        match info {
            LinkInfo::Kind(kind) => self.kind = name_of(&kind),
            LinkInfo::Data(InfoData::Vlan(all)) => {
                self.vlan = all.iter().find_map(|info| match info {
                    InfoVlan::Id(id) => Some(*id),
                    _ => None,
                });
            }
            LinkInfo::Data(InfoData::Bridge(all)) => {
                self.filters_vlans = all.iter().any(|info| matches!(info, InfoBridge::VlanFiltering(true)));
            }
            _ => {}
        }
    }

    /// Whether the other end, or the link it is on, is in another namespace.
    pub(crate) fn leads_elsewhere(&self) -> bool {
        self.other_namespace.is_some()
    }

    /// Its addresses but for those the kernel gives itself.
    pub(crate) fn given_addresses(&self) -> impl Iterator<Item = &(IpAddr, u8)> {
        self.addresses.iter().filter(|(ip, _)| match ip {
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
            IpAddr::V4(_) => true,
        })
    }
}

/// The kernel's word for the kind.
fn name_of(kind: &InfoKind) -> String {
    kind.to_string()
}
