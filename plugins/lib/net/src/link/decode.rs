//! `RTM_NEWLINK` into a [`Link`].

use cni_types::Mac;

use super::Link;
use super::abi::{INFO_SLAVE_DATA, INFO_SLAVE_KIND};
use super::settings::{self, Settings};
use cni_netlink::attr::{array, byte, each, find, host16, host32, text};

/// Size of `struct ifinfomsg`.
const HEADER: usize = 16;
/// `IFLA_BR_VLAN_FILTERING`, `IFLA_BR_VLAN_PROTOCOL`
pub(crate) const IFLA_BR_VLAN_FILTERING: u16 = 7;
const IFLA_BR_VLAN_PROTOCOL: u16 = 8;
/// `IFLA_BRPORT_MODE` (hairpin), `IFLA_BRPORT_ISOLATED`
pub(crate) const IFLA_BRPORT_MODE: u16 = 4;
pub(crate) const IFLA_BRPORT_ISOLATED: u16 = 33;

/// `IFLA_PROP_LIST`, of `IFLA_ALT_IFNAME`s (`linux/if_link.h`)
const IFLA_PROP_LIST: u16 = 52;
/// `IFLA_PERM_ADDRESS`, `IFLA_PARENT_DEV_NAME`, `IFLA_PARENT_DEV_BUS_NAME` (`linux/if_link.h`)
const IFLA_PERM_ADDRESS: u16 = 54;
const IFLA_PARENT_DEV_NAME: u16 = 56;
const IFLA_PARENT_DEV_BUS_NAME: u16 = 57;

/// `None` when the message is too short to be a link.
pub(crate) fn link(message: &[u8]) -> Option<Link> {
    let header = message.get(..HEADER)?;
    let ethernet = matches!(host16(&header[2..])?, libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK);
    let mut link = Link { index: host32(&header[4..])?, flags: host32(&header[8..])?, ..Link::default() };
    for (kind, payload) in each(&message[HEADER..]) {
        match kind {
            libc::IFLA_IFNAME => link.name = string(payload),
            IFLA_PROP_LIST => link.alternative_names = each(payload).map(|(_, name)| string(name)).collect(),
            libc::IFLA_ADDRESS if ethernet => link.mac = array(payload).map(Mac),
            IFLA_PERM_ADDRESS if ethernet => link.permanent_mac = array(payload).map(Mac),
            IFLA_PARENT_DEV_NAME => link.parent = string(payload),
            IFLA_PARENT_DEV_BUS_NAME => link.parent_bus = string(payload),
            libc::IFLA_MTU => link.mtu = host32(payload).unwrap_or(0),
            libc::IFLA_TXQLEN => link.tx_queue_length = host32(payload).unwrap_or(0),
            libc::IFLA_MASTER => link.master = host32(payload),
            libc::IFLA_LINK => link.iflink = host32(payload),
            libc::IFLA_OPERSTATE => link.oper_state = byte(payload).unwrap_or(0),
            libc::IFLA_IFALIAS => link.alias = string(payload),
            libc::IFLA_LINKINFO => info(payload, &mut link),
            settings::ATTRIBUTE => link.settings = Settings::read(payload),
            _ => {}
        }
    }
    Some(link)
}

fn info(linkinfo: &[u8], link: &mut Link) {
    link.kind = find(linkinfo, libc::IFLA_INFO_KIND).map(string).unwrap_or_default();
    link.kind_data = find(linkinfo, libc::IFLA_INFO_DATA).unwrap_or_default().to_vec();
    let is_set = |data: Option<&[u8]>, kind| data.and_then(|d| find(d, kind)).and_then(byte) == Some(1);
    if link.kind == "bridge" {
        // The protocol is told by kernels that filter, whether the bridge does or not.
        let on = is_set(Some(&link.kind_data), IFLA_BR_VLAN_FILTERING);
        link.vlan_filtering = find(&link.kind_data, IFLA_BR_VLAN_PROTOCOL).map(|_| on);
    }
    if find(linkinfo, INFO_SLAVE_KIND).map(string).as_deref() == Some("bridge") {
        let port = find(linkinfo, INFO_SLAVE_DATA);
        link.hairpin = is_set(port, IFLA_BRPORT_MODE);
        link.isolated = is_set(port, IFLA_BRPORT_ISOLATED);
    }
}

/// A name or alias. Bytes that are not UTF-8 become replacement characters: such a link is none of ours.
pub(crate) fn string(payload: &[u8]) -> String {
    text(payload).map(ToOwned::to_owned).unwrap_or_else(|| String::from_utf8_lossy(payload).into_owned())
}
