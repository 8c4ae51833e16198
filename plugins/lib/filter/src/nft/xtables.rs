//! Matches and targets of xtables inside nftables rules, as iptables-nft writes them (`linux/netfilter/nf_tables_compat.h`).

use super::expr::ExprState;
use super::lookup::text;
use cni_netlink::attr::find;

// enum nft_match_attributes, enum nft_target_attributes
const NAME: u16 = 1;
const INFO: u16 = 3;

impl<'a> ExprState<'a> {
    /// Name and private data of a target.
    pub fn xt_target(&self) -> Option<(&'a str, &'a [u8])> {
        if self.name == "target" { Some((text(self.data, NAME)?, find(self.data, INFO)?)) } else { None }
    }

    /// Name and private data of a match.
    pub fn xt_match(&self) -> Option<(&'a str, &'a [u8])> {
        if self.name == "match" { Some((text(self.data, NAME)?, find(self.data, INFO)?)) } else { None }
    }
}
