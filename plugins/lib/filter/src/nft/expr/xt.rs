//! What iptables-nft writes, read.

use super::super::lookup;
use super::{EQUAL, ExprState, NOT_EQUAL};
use crate::nft::verdict::read_value;
use cni_netlink::attr::find;

impl<'a> ExprState<'a> {
    /// The value of a comparison, and whether it is for being equal (else for being different).
    pub fn compares(&self) -> Option<(bool, &'a [u8])> {
        if self.name != "cmp" {
            return None;
        }
        let how = lookup::number(self.data, 2)?;
        let value = find(self.data, 3).and_then(read_value)?;
        if how == EQUAL {
            Some((true, value))
        } else if how == NOT_EQUAL {
            Some((false, value))
        } else {
            None
        }
    }

    /// The bits a mask keeps.
    pub fn mask(&self) -> Option<&'a [u8]> {
        if self.name == "bitwise" { find(self.data, 4).and_then(read_value) } else { None }
    }

    /// The key (`enum nft_meta_keys`) of a load of packet context.
    pub fn meta(&self) -> Option<u32> {
        if self.name == "meta" { lookup::number(self.data, 2) } else { None }
    }
}
