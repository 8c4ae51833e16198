//! Members of a VRF. Joining and leaving take an interface down and up again: its routes go, and of its IPv6 addresses
//! all that `keep_addr_on_down` does not hold. What the kernel does not make anew is put back at once: addresses
//! without duplicate detection, then routes, those on the link first.

use cni_netlink::attr::{Attrs, each, find, host32};
use cni_netlink::{Precision, Request};
use cni_skel::Undo;
use cni_types::{Family, Result, ip_from_octets};

use crate::addr::{HEADER, IFA_F_DADFAILED, IFA_F_NODAD, IFA_F_NOPREFIXROUTE, IFA_FLAGS, ifaddrmsg, is_of};
use crate::link::{Link, request};
use crate::route::tables::{Routing, TABLE_LOCAL, TABLE_MAIN};
use crate::route::{RouteEntry, SCOPE_LINK};
use crate::rtnl::Rtnl;

/// `IFA_F_MANAGETEMPADDR`
const IFA_F_MANAGETEMPADDR: u32 = 0x100;
/// The flags an address is asked for with; the others are the kernel's observations.
const ASKED: u32 = IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR;

/// What an interface loses when it joins or leaves a VRF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSettings {
    addresses: Vec<Vec<u8>>,
    routes: Vec<RouteEntry>,
}

impl MemberSettings {
    /// Those of the link: its IPv6 addresses but the link-local ones, and its routes but those that come with
    /// addresses.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn of(rtnl: &Rtnl, link: &Link, routing: &Routing) -> Result<Self> {
        let body = Attrs::behind(&ifaddrmsg(link.index, Family::V6.number(), 0));
        let doing = format!("list the IPv6 addresses of {}", link.name);
        let list = Request::new(doing, libc::RTM_GETADDR, 0, body);
        let is_lost = |address: &[u8]| is_of(address, link.index) && address[3] < SCOPE_LINK;
        let addresses = rtnl.socket.list(&list, Precision::Exact, |a| is_lost(a).then(|| a.to_vec()))?;
        let ours = |route: &&RouteEntry| {
            route.is_only_through(link.index) && route.table != TABLE_LOCAL && !route.is_the_kernels
        };
        let (by_gateway, mut routes): (Vec<_>, Vec<_>) =
            routing.routes.iter().filter(ours).cloned().partition(RouteEntry::has_gateway);
        routes.extend(by_gateway);
        Ok(Self { addresses, routes })
    }

    /// Puts everything back on the link; routes of the main table go to `table`.
    fn restore(&self, rtnl: &Rtnl, link: &Link, table: u32) -> Result<()> {
        // Those that survived are looked at for duplicates again, which takes a second, unless they are added anew.
        let addresses = self.addresses.iter().flat_map(|address| {
            let doing = |verb| format!("{verb} an IPv6 address of {}", link.name);
            [
                Request::new(doing("delete"), libc::RTM_DELADDR, 0, body(address)),
                Request::new(doing("add"), libc::RTM_NEWADDR, cni_netlink::CREATE, body(address)),
            ]
        });
        let routes = self.routes.iter().map(|route| match route.table {
            TABLE_MAIN => route.in_table(table).add(),
            _ => route.add(),
        });
        rtnl.settle(addresses.chain(routes).collect())?;
        let ip = |address: &Vec<u8>| find(&address[HEADER..], libc::IFA_ADDRESS).and_then(ip_from_octets);
        // What somebody else had is looked for anew, and may be nobody's again: that is not waited for.
        let ours = self.addresses.iter().filter(|address| flags(address) & IFA_F_DADFAILED == 0);
        let ips: Vec<_> = ours.filter_map(ip).collect();
        if ips.is_empty() { Ok(()) } else { rtnl.wait_until_usable(link.index, &link.name, &ips) }
    }
}

/// `IFA_F_*` of a listed address.
fn flags(address: &[u8]) -> u32 {
    find(&address[HEADER..], IFA_FLAGS).and_then(host32).unwrap_or(0)
}

/// The listed address as a request.
fn body(address: &[u8]) -> Attrs {
    let flags = flags(address);
    let mut header = [0; HEADER];
    header.copy_from_slice(&address[..HEADER]);
    header[2] = 0;
    let mut body = Attrs::behind(&header);
    for (kind, value) in each(&address[HEADER..]).filter(|(kind, _)| *kind != IFA_FLAGS) {
        body.bytes(kind, value);
    }
    // Somebody else has it: that has to be found out again.
    let no_dad = if flags & IFA_F_DADFAILED == 0 { IFA_F_NODAD } else { 0 };
    body.host32(IFA_FLAGS, flags & ASKED | no_dad);
    body
}

impl Rtnl {
    /// Makes the link a member of the VRF, with all its settings, and registers the way back.
    ///
    /// # Errors
    /// Code 100 with what the kernel refused.
    pub fn join<'a>(
        &'a self,
        link: &Link,
        vrf: &Link,
        settings: MemberSettings,
        undo: &mut Undo<'a>,
    ) -> Result<()> {
        self.socket.change(&[set_master(link, vrf.index)])?;
        let (member, before) = (link.clone(), settings.clone());
        undo.push(format!("take {} out of VRF {}", link.name, vrf.name), move || {
            self.leave(&member)?;
            before.restore(self, &member, TABLE_MAIN)
        });
        settings.restore(self, link, vrf.vrf_table().unwrap_or(TABLE_MAIN))
    }

    /// Takes the link out of its VRF.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn leave(&self, link: &Link) -> Result<()> {
        Ok(self.socket.change(&[set_master(link, 0)])?)
    }
}

/// 0 is no master.
fn set_master(link: &Link, master: u32) -> Request {
    let mut body = request::about(link.index);
    body.host32(libc::IFLA_MASTER, master);
    request::set(format!("set the master of link {}", link.name), body)
}
