//! Every packet that comes in on a link is sent out of another: a `u32` filter that matches all, with the action
//! `mirred egress redirect`.

use cni_netlink::attr::{Attrs, each, find, host32};
use cni_netlink::{CREATE, EXCL, Precision, Request};
use cni_types::Result;

use super::{INGRESS_HANDLE, TCA_KIND, TCA_OPTIONS, of, tcmsg};
use crate::link::Link;
use crate::rtnl::Rtnl;

/// Filter priority 1, protocol `ETH_P_ALL` in network order.
const PRIORITY_AND_PROTOCOL: u32 = 1 << 16 | 0x0003_u16.to_be() as u32;
/// `TCA_U32_CLASSID`, `TCA_U32_SEL`, `TCA_U32_ACT` (`linux/pkt_cls.h`)
const TCA_U32_CLASSID: u16 = 1;
const TCA_U32_SEL: u16 = 5;
const TCA_U32_ACT: u16 = 7;
/// `TC_U32_TERMINAL`: no further hash table.
const TERMINAL: u8 = 1;
/// Class `1:1`, which nobody looks at but `u32` wants for a match.
const CLASS: u32 = 0x0001_0001;
/// `TCA_ACT_KIND`, `TCA_ACT_OPTIONS`
const TCA_ACT_KIND: u16 = 1;
const TCA_ACT_OPTIONS: u16 = 2;
/// `TCA_MIRRED_PARMS`, `TCA_EGRESS_REDIR` (`linux/tc_act/tc_mirred.h`), `TC_ACT_STOLEN`
const TCA_MIRRED_PARMS: u16 = 2;
const EGRESS_REDIRECT: u32 = 1;
const STOLEN: u32 = 4;
/// Offsets in `struct tc_mirred`: action, eaction, ifindex; and its size.
const ACTION: usize = 8;
const EACTION: usize = 20;
const IFINDEX: usize = 24;
const MIRRED: usize = 28;

impl Rtnl {
    /// Sends everything that comes in on `from` out of `to`. `from` needs its ingress qdisc.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn add_redirect(&self, from: &Link, to: &Link) -> Result<()> {
        let mut body = Attrs::behind(&tcmsg(from.index, 0, INGRESS_HANDLE, PRIORITY_AND_PROTOCOL));
        body.text(TCA_KIND, "u32");
        body.nest(TCA_OPTIONS, |options| {
            options.host32(TCA_U32_CLASSID, CLASS);
            options.bytes(TCA_U32_SEL, &match_all());
            options.nest(TCA_U32_ACT, |actions| {
                actions.nest(1, |action| {
                    action.text(TCA_ACT_KIND, "mirred");
                    action.nest(TCA_ACT_OPTIONS, |options| {
                        options.bytes(TCA_MIRRED_PARMS, &mirred(to.index));
                    });
                });
            });
        });
        let doing = format!("redirect what comes in on link {} to link {}", from.name, to.name);
        Ok(self.socket.change(&[Request::new(doing, libc::RTM_NEWTFILTER, CREATE | EXCL, body)])?)
    }

    /// The index of the link that a filter of ours, or of the reference's, redirects everything to.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn find_redirect(&self, from: &Link) -> Result<Option<u32>> {
        let doing = format!("list the ingress filters of link {}", from.name);
        let body = Attrs::behind(&tcmsg(from.index, 0, INGRESS_HANDLE, 0));
        let list = Request::new(doing, libc::RTM_GETTFILTER, 0, body);
        let decode = |message: &[u8]| target(of(message, from.index, INGRESS_HANDLE)?);
        match self.socket.list(&list, Precision::Exact, decode) {
            // Without an ingress qdisc there is nothing to list.
            Err(refused) if refused.is_not_found() || refused.is_invalid() => Ok(None),
            targets => Ok(targets?.into_iter().next()),
        }
    }
}

/// `struct tc_u32_sel` with one `struct tc_u32_key` whose mask is 0.
fn match_all() -> [u8; 32] {
    let mut selector = [0; 32];
    selector[0] = TERMINAL;
    // The number of keys.
    selector[2] = 1;
    selector
}

fn mirred(to: u32) -> [u8; MIRRED] {
    let mut parameters = [0; MIRRED];
    for (at, number) in [(ACTION, STOLEN), (EACTION, EGRESS_REDIRECT), (IFINDEX, to)] {
        parameters[at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    parameters
}

/// The target of the filter's first redirecting action.
fn target(attributes: &[u8]) -> Option<u32> {
    let actions = find(find(attributes, TCA_OPTIONS)?, TCA_U32_ACT)?;
    each(actions).find_map(|(_, action)| {
        let parameters = find(find(action, TCA_ACT_OPTIONS)?, TCA_MIRRED_PARMS)?.get(..MIRRED)?;
        let number = |at: usize| host32(&parameters[at..]);
        number(IFINDEX).filter(|_| number(EACTION) == Some(EGRESS_REDIRECT))
    })
}
