//! Addresses of links. `ip address show|add|delete dev LINK`.

pub(crate) mod usable;

use cni_types::{Cidr, Result, ip_from_octets, ip_octets};

use crate::rtnl::Rtnl;
use cni_netlink::attr::{Attrs, find, host32};
use cni_netlink::{CREATE, EXCL, Precision, Refused, Request};

/// `IFA_FLAGS` (`linux/if_addr.h`)
pub(crate) const IFA_FLAGS: u16 = 8;
/// `IFA_F_NODAD`: no duplicate detection, so the address is usable at once.
pub(crate) const IFA_F_NODAD: u32 = 0x02;
/// `IFA_F_DADFAILED`, `IFA_F_TENTATIVE`
pub(crate) const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_TENTATIVE: u32 = 0x40;
/// `IFA_F_NOPREFIXROUTE`
pub(crate) const IFA_F_NOPREFIXROUTE: u32 = 0x200;
/// Size of `struct ifaddrmsg`.
pub(crate) const HEADER: usize = 8;

/// An address as the kernel lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address with its prefix length.
    pub cidr: Cidr,
    /// Duplicate detection is under way.
    pub tentative: bool,
    /// Duplicate detection found another owner.
    pub duplicate: bool,
}

/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
pub(crate) fn ifaddrmsg(index: u32, family: u8, prefix: u8) -> [u8; HEADER] {
    let mut header = [family, prefix, 0, 0, 0, 0, 0, 0];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}

fn body(index: u32, cidr: Cidr) -> Attrs {
    let mut body = Attrs::behind(&ifaddrmsg(index, cidr.family().number(), cidr.prefix()));
    body.bytes(libc::IFA_LOCAL, &ip_octets(cidr.ip()));
    body.bytes(libc::IFA_ADDRESS, &ip_octets(cidr.ip()));
    body
}

/// How an address is added.
#[derive(Clone, Copy, Default)]
pub(crate) struct AddFlags {
    /// IPv6: have the kernel look for another owner first.
    pub(crate) detect_duplicates: bool,
    /// Without the connected route to the address's network.
    pub(crate) no_connected_route: bool,
}

/// The request to add `cidr`; IPv4 networks of more than two addresses get their broadcast address.
pub(crate) fn add(index: u32, link: &str, cidr: Cidr, how: AddFlags) -> Request {
    let mut body = body(index, cidr);
    if cidr.is_ipv4() && cidr.prefix() < 31 {
        body.bytes(libc::IFA_BROADCAST, &ip_octets(cidr.last()));
    }
    let no_dad = if cidr.is_ipv4() || how.detect_duplicates { 0 } else { IFA_F_NODAD };
    let no_route = if how.no_connected_route { IFA_F_NOPREFIXROUTE } else { 0 };
    if no_dad | no_route != 0 {
        body.host32(IFA_FLAGS, no_dad | no_route);
    }
    Request::new(format!("add address {cidr} to {link}"), libc::RTM_NEWADDR, CREATE | EXCL, body)
}

/// Whether a listed address is of this link: kernels before 4.20 list those of all.
pub(crate) fn is_of(message: &[u8], index: u32) -> bool {
    message.get(4..).and_then(host32) == Some(index)
}

fn decode(message: &[u8]) -> Option<Address> {
    let header = message.get(..HEADER)?;
    let attributes = &message[HEADER..];
    let ip = find(attributes, libc::IFA_LOCAL).or_else(|| find(attributes, libc::IFA_ADDRESS))?;
    let flags = find(attributes, IFA_FLAGS).and_then(host32).unwrap_or_else(|| header[2].into());
    Some(Address {
        cidr: Cidr::new(ip_from_octets(ip)?, header[1])?,
        tentative: flags & IFA_F_TENTATIVE != 0,
        duplicate: flags & IFA_F_DADFAILED != 0,
    })
}

impl Rtnl {
    /// The addresses of the link with this index, or of all links with 0; both families.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn addresses(&self, index: u32) -> Result<Vec<Address>> {
        let list = Request::new(
            format!("list the addresses of the link with index {index}"),
            libc::RTM_GETADDR,
            0,
            Attrs::behind(&ifaddrmsg(index, 0, 0)),
        );
        let is_asked_for = |message: &[u8]| index == 0 || is_of(message, index);
        Ok(self.socket.list(&list, Precision::Exact, |m| decode(m).filter(|_| is_asked_for(m)))?)
    }

    /// Adds an address; one that is there already, with the same prefix, is success. On return it is usable.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses, code 11 when it is too busy to finish.
    pub fn ensure_address(&self, index: u32, link: &str, cidr: Cidr) -> Result<()> {
        let mut requests = vec![add(index, link, cidr, AddFlags::default())];
        requests.extend((!cidr.is_ipv4()).then(|| usable::ask(index, cidr.ip())));
        let mut answers = self.socket.ask(&requests).into_iter();
        if let Some(Err(refused)) = answers.next() {
            refused.unless_there()?;
        }
        if answers.all(|answer| usable::is_usable(&answer)) {
            return Ok(());
        }
        self.wait_until_usable(index, link, &[cidr.ip()])
    }

    /// Deletes an address; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_address_if_present(&self, index: u32, link: &str, cidr: Cidr) -> Result<()> {
        let doing = format!("delete address {cidr} of {link}");
        let delete = Request::new(doing, libc::RTM_DELADDR, 0, body(index, cidr));
        Ok(self.socket.change(&[delete]).or_else(Refused::unless_gone)?)
    }
}
