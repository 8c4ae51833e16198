//! Values in rules and elements (`NFTA_DATA_*`): plain bytes or a verdict.

use super::lookup::{number, text};
use cni_netlink::attr::{Attrs, find};

// enum nft_data_attributes, enum nft_verdict_attributes
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const VERDICT_CHAIN: u16 = 2;

/// What happens to the packet (`enum nft_verdicts`, `linux/netfilter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It passes this base chain.
    Accept,
    /// It is dropped.
    Drop,
    /// Back to the rule after the jump, or the policy.
    Return,
    /// Into another chain, and back at its end.
    Jump(&'a str),
    /// Into another chain for good.
    Goto(&'a str),
}

impl<'a> Verdict<'a> {
    pub(super) fn write(self, attrs: &mut Attrs, kind: u16) {
        let (code, chain): (i32, _) = match self {
            Self::Drop => (0, None),
            Self::Accept => (1, None),
            Self::Jump(chain) => (-3, Some(chain)),
            Self::Goto(chain) => (-4, Some(chain)),
            Self::Return => (-5, None),
        };
        attrs.nest(kind, |data| {
            data.nest(DATA_VERDICT, |verdict| {
                verdict.bytes(VERDICT_CODE, &code.to_be_bytes());
                if let Some(chain) = chain {
                    verdict.text(VERDICT_CHAIN, chain);
                }
            });
        });
    }

    /// Reads the verdict in a data attribute's value; `None` for plain bytes and for verdicts not listed here.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let verdict = find(data, DATA_VERDICT)?;
        let chain = text(verdict, VERDICT_CHAIN);
        match i32::from_be_bytes(number(verdict, VERDICT_CODE)?.to_be_bytes()) {
            0 => Some(Self::Drop),
            1 => Some(Self::Accept),
            -3 => chain.map(Self::Jump),
            -4 => chain.map(Self::Goto),
            -5 => Some(Self::Return),
            _ => None,
        }
    }
}

/// Writes plain bytes.
pub(super) fn write_value(attrs: &mut Attrs, kind: u16, value: &[u8]) {
    attrs.nest(kind, |data| data.bytes(DATA_VALUE, value));
}

/// Reads plain bytes.
pub(super) fn read_value(data: &[u8]) -> Option<&[u8]> {
    find(data, DATA_VALUE)
}
