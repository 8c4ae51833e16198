//! What `ip link set` changes on a link that is there.

use cni_netlink::Request;
use cni_netlink::attr::Attrs;
use cni_types::{Mac, Result};

use super::request::{self, about, ifinfomsg};
use super::{IFF_ALLMULTI, IFF_PROMISC, IFF_UP, Link};
use crate::rtnl::Rtnl;

/// One attribute with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The hardware address.
    Mac(Mac),
    /// MTU in bytes.
    Mtu(u32),
    /// Whether every packet is received.
    Promiscuous(bool),
    /// Whether every multicast packet is received.
    AllMulticast(bool),
    /// The length of the transmit queue in packets.
    TxQueueLength(u32),
}

impl Rtnl {
    /// Switches `IFF_*` flags of `mask` to those in `flags`.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn set_flags(&self, link: &Link, flags: u32, mask: u32) -> Result<()> {
        let doing = format!("set the flags of link {} to {flags:#x}/{mask:#x}", link.name);
        Ok(self.socket.change(&[set_flags(doing, link.index, flags, mask)])?)
    }

    /// Sets the hardware address, also to the one it has: that pins a bridge's, and makes the kernel announce the
    /// addresses of an interface with `arp_notify` and `ndisc_notify`.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn set_mac(&self, index: u32, mac: Mac) -> Result<()> {
        let mut body = about(index);
        body.bytes(libc::IFLA_ADDRESS, &mac.0);
        let doing = format!("set the MAC address of the link with index {index} to {mac}");
        Ok(self.socket.change(&[request::set(doing, body)])?)
    }

    /// Sets one attribute of the link.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn set_attribute(&self, link: &Link, attribute: Attribute) -> Result<()> {
        let name = &link.name;
        let mut body = about(link.index);
        let doing = match attribute {
            Attribute::Mac(mac) => {
                body.bytes(libc::IFLA_ADDRESS, &mac.0);
                format!("set the MAC address of link {name} to {mac}")
            }
            Attribute::Mtu(mtu) => {
                body.host32(libc::IFLA_MTU, mtu);
                format!("set the MTU of link {name} to {mtu}")
            }
            Attribute::TxQueueLength(length) => {
                body.host32(libc::IFLA_TXQLEN, length);
                format!("set the transmit queue length of link {name} to {length}")
            }
            Attribute::Promiscuous(on) => return self.switch(link, "promiscuous mode", IFF_PROMISC, on),
            Attribute::AllMulticast(on) => return self.switch(link, "all-multicast mode", IFF_ALLMULTI, on),
        };
        Ok(self.socket.change(&[request::set(doing, body)])?)
    }

    fn switch(&self, link: &Link, what: &str, flag: u32, on: bool) -> Result<()> {
        let (flags, word) = if on { (flag, "on") } else { (0, "off") };
        let doing = format!("switch {what} of link {} {word}", link.name);
        Ok(self.socket.change(&[set_flags(doing, link.index, flags, flag)])?)
    }
}

pub(crate) fn set_flags(doing: String, index: u32, flags: u32, mask: u32) -> Request {
    request::set(doing, Attrs::behind(&ifinfomsg(index, flags, mask)))
}

/// `ip link set NAME up`.
pub(crate) fn set_up(doing: String, index: u32) -> Request {
    set_flags(doing, index, IFF_UP, IFF_UP)
}
