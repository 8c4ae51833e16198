//! What requests about links are made of (`linux/rtnetlink.h`, `linux/if_link.h`).

use cni_netlink::attr::Attrs;
use cni_netlink::{CREATE, EXCL, Request};

use super::abi::IFF_UP;

/// `struct ifinfomsg`: family, type, index, flags, change mask.
pub(crate) fn ifinfomsg(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    for (at, number) in [(4, index), (8, flags), (12, change)] {
        header[at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    header
}

/// About the link with this index; 0 for any, or for one that its attributes name.
pub(crate) fn about(index: u32) -> Attrs {
    Attrs::behind(&ifinfomsg(index, 0, 0))
}

/// About the link of this name.
pub(crate) fn about_named(name: &str) -> Attrs {
    let mut body = about(0);
    body.text(libc::IFLA_IFNAME, name);
    body
}

/// About a link that is to be up, under this name: one that is made, or that is there.
pub(crate) fn about_new(name: &str) -> Attrs {
    let mut body = Attrs::behind(&ifinfomsg(0, IFF_UP, IFF_UP));
    body.text(libc::IFLA_IFNAME, name);
    body
}

/// About the bridge port with this index, as a port (family `AF_BRIDGE`).
pub(crate) fn about_port(index: u32) -> Attrs {
    let mut header = ifinfomsg(index, 0, 0);
    header[0] = libc::AF_BRIDGE.to_le_bytes()[0];
    Attrs::behind(&header)
}

/// 0 leaves the kernel's default.
pub(crate) fn put_mtu(body: &mut Attrs, mtu: u32) {
    if mtu != 0 {
        body.host32(libc::IFLA_MTU, mtu);
    }
}

/// The link's kind and what is particular to it.
pub(crate) fn put_kind(body: &mut Attrs, kind: &str, put: impl FnOnce(&mut Attrs)) {
    body.nest(libc::IFLA_LINKINFO, |info| {
        info.bytes(libc::IFLA_INFO_KIND, kind.as_bytes());
        info.nest(libc::IFLA_INFO_DATA, put);
    });
}

/// Makes a link that is not there.
pub(crate) fn create(doing: impl Into<String>, body: Attrs) -> Request {
    Request::new(doing, libc::RTM_NEWLINK, CREATE | EXCL, body)
}

/// Changes a link that is there.
pub(crate) fn set(doing: impl Into<String>, body: Attrs) -> Request {
    Request::new(doing, libc::RTM_SETLINK, 0, body)
}
