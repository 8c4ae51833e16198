//! Traffic control: queueing disciplines and filters. `tc qdisc|filter`.

mod redirect;
mod tbf;

use cni_netlink::attr::{Attrs, find, host32};
use cni_netlink::{CREATE, EXCL, Precision, Refused, Request};
use cni_types::Result;

use crate::link::Link;
use crate::link::decode::string;
use crate::rtnl::Rtnl;

pub use tbf::TokenBucket;

/// `TCA_KIND`, `TCA_OPTIONS` (`linux/rtnetlink.h`)
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
/// `TC_H_ROOT`, `TC_H_INGRESS` (`linux/pkt_sched.h`): parents of the two qdiscs every link has a place for.
const ROOT: u32 = 0xffff_ffff;
const INGRESS: u32 = 0xffff_fff1;
/// The handle of our root qdisc, `1:`, and of an ingress qdisc, `ffff:`.
const ROOT_HANDLE: u32 = 0x0001_0000;
const INGRESS_HANDLE: u32 = 0xffff_0000;

/// Bytes of `struct tcmsg`.
const HEADER: usize = 20;

/// `struct tcmsg`: family, interface index, handle, parent, info.
fn tcmsg(index: u32, handle: u32, parent: u32, info: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    for (at, number) in [(4, index), (8, handle), (12, parent), (16, info)] {
        header[at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    header
}

fn qdisc(index: u32, handle: u32, parent: u32, kind: &str) -> Attrs {
    let mut body = Attrs::behind(&tcmsg(index, handle, parent, 0));
    body.text(TCA_KIND, kind);
    body
}

impl Rtnl {
    /// Makes the ingress qdisc `ffff:` of the link, the place where filters see what comes in.
    ///
    /// # Errors
    /// Refused with `EEXIST` when somebody has filters there already.
    pub fn add_ingress_qdisc(&self, link: &Link) -> std::result::Result<(), Refused> {
        let doing = format!("add an ingress qdisc to link {}", link.name);
        let body = qdisc(link.index, INGRESS_HANDLE, INGRESS, "ingress");
        self.socket.change(&[Request::new(doing, libc::RTM_NEWQDISC, CREATE | EXCL, body)])
    }

    /// Removes the ingress qdisc with its filters; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_ingress_qdisc_if_present(&self, link: &Link) -> Result<()> {
        self.remove_qdisc(link, INGRESS_HANDLE, INGRESS, "ingress")
    }

    /// Removes the root qdisc `1:`, which brings back the link's default; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_root_qdisc_if_present(&self, link: &Link) -> Result<()> {
        self.remove_qdisc(link, ROOT_HANDLE, ROOT, "root")
    }

    fn remove_qdisc(&self, link: &Link, handle: u32, parent: u32, what: &str) -> Result<()> {
        let body = Attrs::behind(&tcmsg(link.index, handle, parent, 0));
        let doing = format!("remove the {what} qdisc of link {}", link.name);
        let delete = Request::new(doing, libc::RTM_DELQDISC, 0, body);
        // Where another qdisc is in its place, the kernel finds our handle senseless.
        let unless_gone = |e: Refused| if e.is_invalid() { Ok(()) } else { e.unless_gone() };
        Ok(self.socket.change(&[delete]).or_else(unless_gone)?)
    }

    /// The root qdisc's kind, and its parameters when it is a token bucket.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn root_qdisc(&self, link: &Link) -> Result<Option<(String, Option<TokenBucket>)>> {
        let doing = format!("list the qdiscs of link {}", link.name);
        let body = Attrs::behind(&tcmsg(link.index, 0, 0, 0));
        let list = Request::new(doing, libc::RTM_GETQDISC, 0, body);
        let root = self.socket.list(&list, Precision::Exact, |message| {
            let attributes = of(message, link.index, ROOT)?;
            let kind = find(attributes, TCA_KIND).map(string)?;
            let bucket =
                find(attributes, TCA_OPTIONS).filter(|_| kind == "tbf").and_then(TokenBucket::decode);
            Some((kind, bucket))
        });
        Ok(root?.into_iter().next())
    }
}

/// The attributes of a message about this link and parent; kernels before 4.20 list all links.
fn of(message: &[u8], index: u32, parent: u32) -> Option<&[u8]> {
    let header = message.get(..HEADER)?;
    let number = |at: usize| host32(&header[at..]);
    (number(4) == Some(index) && number(12) == Some(parent)).then(|| &message[HEADER..])
}
