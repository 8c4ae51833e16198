//! One link.

use std::net::IpAddr;

use netlink_packet_route::link::{InfoBridge, InfoKind, InfoVlan, LinkAttribute, LinkFlags, LinkHeader};
use rtnetlink::packet_core::{DecodeError, Emitable, NlasIterator, Parseable, ParseableParametrized};

/// The attributes that [`Link::take`] knows.
const ATTRIBUTES: [u16; 8] = [
    libc::IFLA_IFNAME,
    libc::IFLA_IFALIAS,
    libc::IFLA_QDISC,
    libc::IFLA_MTU,
    libc::IFLA_MASTER,
    libc::IFLA_LINK,
    libc::IFLA_LINK_NETNSID,
    libc::IFLA_ADDRESS,
];

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
    /// Reads an entry of the kernel's list: of its attributes those that a [`Link`] has, since there are many.
    ///
    /// # Errors
    /// When it is cut off.
    pub(super) fn read(message: &[u8]) -> Result<Self, DecodeError> {
        let header = LinkHeader::parse(message)?;
        let mut link = Self {
            index: header.index,
            is_up: header.flags.contains(LinkFlags::Up),
            has_carrier: header.flags.contains(LinkFlags::LowerUp),
            ..Self::default()
        };
        for attribute in NlasIterator::new(&message[header.buffer_len()..]) {
            let attribute = attribute?;
            match attribute.kind() {
                libc::IFLA_LINKINFO => link.take_infos(attribute.value())?,
                kind if ATTRIBUTES.contains(&kind) => {
                    link.take(LinkAttribute::parse_with_param(&attribute, header.interface_family)?);
                }
                _ => {}
            }
        }
        Ok(link)
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
            _ => {}
        }
    }

    /// What is particular to its kind. The kind comes first.
    fn take_infos(&mut self, infos: &[u8]) -> Result<(), DecodeError> {
        for info in NlasIterator::new(infos) {
            let info = info?;
            match (info.kind(), self.kind.as_str()) {
                (libc::IFLA_INFO_KIND, _) => self.kind = InfoKind::parse(&info)?.to_string(),
                (libc::IFLA_INFO_DATA, "vlan") => {
                    for info in NlasIterator::new(info.value()) {
                        if let InfoVlan::Id(id) = InfoVlan::parse(&info?)? {
                            self.vlan = Some(id);
                        }
                    }
                }
                (libc::IFLA_INFO_DATA, "bridge") => {
                    for info in NlasIterator::new(info.value()) {
                        self.filters_vlans |= InfoBridge::parse(&info?)? == InfoBridge::VlanFiltering(true);
                    }
                }
                _ => {}
            }
        }
        Ok(())
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
