//! Neighbour entries. `ip neighbour change`.

use std::net::IpAddr;

use cni_types::{Family, Mac, Result, ip_octets};

use crate::rtnl::Rtnl;
use cni_netlink::attr::Attrs;
use cni_netlink::{REPLACE, Refused, Request};

/// `NUD_STALE` (`linux/neighbour.h`): usable at once, confirmed on first use.
const NUD_STALE: u16 = 0x04;

impl Rtnl {
    /// Corrects the hardware address in an entry that is there already; without one there is nothing to correct.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn correct_neighbours(&self, index: u32, link: &str, mac: Mac, ips: &[IpAddr]) -> Result<()> {
        let requests = ips.iter().map(|ip| {
            // struct ndmsg: family, index, state, flags, type.
            let mut header = [0; 12];
            header[0] = Family::of(*ip).number();
            header[4..8].copy_from_slice(&index.to_ne_bytes());
            header[8..10].copy_from_slice(&NUD_STALE.to_ne_bytes());
            let mut body = Attrs::behind(&header);
            body.bytes(libc::NDA_DST, &ip_octets(*ip));
            body.bytes(libc::NDA_LLADDR, &mac.0);
            let doing = format!("correct the neighbour entry of {ip} on {link}");
            Request::new(doing, libc::RTM_NEWNEIGH, REPLACE, body)
        });
        let mut answers = self.socket.ask(&requests.collect::<Vec<_>>()).into_iter();
        Ok(answers.try_for_each(|answer| answer.map(drop).or_else(Refused::unless_gone))?)
    }
}
