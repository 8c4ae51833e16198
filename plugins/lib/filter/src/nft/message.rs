//! One netlink message: `struct nlmsghdr`, `struct nfgenmsg`, attributes.

use super::TableFamily;
use cni_netlink::attr::Attrs;

/// `NFNL_SUBSYS_NFTABLES`, the high byte of a message's type.
const SUBSYSTEM: u16 = 10;

// enum nf_tables_msg_types
pub(super) const NEWTABLE: u16 = 0;
pub(super) const DELTABLE: u16 = 2;
pub(super) const NEWCHAIN: u16 = 3;
pub(super) const GETCHAIN: u16 = 4;
pub(super) const DELCHAIN: u16 = 5;
pub(super) const NEWRULE: u16 = 6;
pub(super) const GETRULE: u16 = 7;
pub(super) const DELRULE: u16 = 8;
pub(super) const NEWSET: u16 = 9;
pub(super) const GETSET: u16 = 10;
pub(super) const DELSET: u16 = 11;
pub(super) const NEWSETELEM: u16 = 12;
pub(super) const GETSETELEM: u16 = 13;
pub(super) const DELSETELEM: u16 = 14;
pub(super) const GETGEN: u16 = 16;

/// Bytes of `struct nfgenmsg`.
pub(super) const GENMSG: usize = 4;

/// A request or a step of a batch, with words for what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    kind: u16,
    flags: u16,
    family: u8,
    pub(super) attrs: Attrs,
    pub(super) act: String,
}

impl Message {
    pub(super) fn new(kind: u16, flags: u16, family: TableFamily, act: String) -> Self {
        Self { kind: SUBSYSTEM << 8 | kind, flags, family: family as u8, attrs: Attrs::default(), act }
    }

    /// The step in words, such as "create table inet x".
    pub fn act(&self) -> &str {
        &self.act
    }

    /// What is behind the netlink header.
    pub(super) fn body(&self) -> Vec<u8> {
        [&[self.family, 0, 0, 0], self.attrs.as_bytes()].concat()
    }

    /// The message as a request for an object or a list, with its [`Message::body`].
    pub(super) fn wire<'a>(&self, body: &'a [u8]) -> cni_netlink::Request<'a> {
        cni_netlink::Request { kind: self.kind, flags: self.flags, body, is_lookup: true }
    }

    /// The message as the kernel reads it; `more` are further header flags.
    pub fn encode(&self, sequence: u32, more: u16, out: &mut Vec<u8>) {
        encode(out, [self.kind, self.flags | more], sequence, [self.family, 0, 0, 0], self.attrs.as_bytes());
    }
}

/// `NFNL_MSG_BATCH_BEGIN`.
const BATCH_BEGIN: u16 = 0x10;
/// `NFNL_MSG_BATCH_END`.
const BATCH_END: u16 = 0x11;
/// `NFNL_BATCH_GENID`: refuse the batch unless the ruleset is of this generation.
const BATCH_GENID: u16 = 1;

/// The start of a batch; with a generation, the kernel answers `ERESTART` when the ruleset has changed since.
pub(super) fn begin(out: &mut Vec<u8>, sequence: u32, generation: Option<u32>) {
    let mut attrs = Attrs::default();
    if let Some(generation) = generation {
        attrs.net32(BATCH_GENID, generation);
    }
    let [high, low] = SUBSYSTEM.to_be_bytes();
    encode(out, [BATCH_BEGIN, 0], sequence, [0, 0, high, low], attrs.as_bytes());
}

/// The end of a batch. Without it the kernel checks the batch and throws it away.
pub(super) fn end(out: &mut Vec<u8>, sequence: u32) {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    encode(out, [BATCH_END, 0], sequence, [0, 0, high, low], &[]);
}

fn encode(out: &mut Vec<u8>, [kind, flags]: [u16; 2], sequence: u32, genmsg: [u8; GENMSG], attrs: &[u8]) {
    cni_netlink::put_request(out, kind, flags, sequence, &[&genmsg[..], attrs].concat());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nft::Table;

    /// `struct nlmsghdr`, whose numbers are in host order.
    fn header(length: u32, kind: u16, flags: u16, sequence: u32) -> Vec<u8> {
        let [length, sequence] = [length, sequence].map(u32::to_ne_bytes);
        let [kind, flags] = [kind, flags].map(u16::to_ne_bytes);
        [&length[..], &kind, &flags, &sequence, &[0; 4]].concat()
    }

    /// `struct nlattr` of type 1: its numbers are in host order, netfilter's values in network order.
    fn attribute(value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        [&length.to_ne_bytes()[..], &1_u16.to_ne_bytes(), value].concat()
    }

    #[test]
    fn a_batch_has_the_bytes_of_the_headers() {
        let mut out = Vec::new();
        begin(&mut out, 1, Some(0x0102_0304));
        // struct nfgenmsg: res_id is the subsystem, big-endian.
        let golden = [header(28, 0x10, 1, 1), vec![0, 0, 0, 10], attribute(&[1, 2, 3, 4])].concat();
        assert_eq!(out, golden);
        out.clear();
        Table { family: TableFamily::Inet, name: "abc" }.ensure().encode(2, cni_netlink::ACK, &mut out);
        let golden = [header(28, 0x0a00, 0x0405, 2), vec![1, 0, 0, 0], attribute(b"abc\0")].concat();
        assert_eq!(out, golden);
        out.clear();
        end(&mut out, 3);
        assert_eq!(out, [header(20, 0x11, 1, 3), vec![0, 0, 0, 10]].concat());
    }
}
