//! What a reservation file says: `<container id>\r\n<ifname>`, in the oldest format just `<container id>`.

use cni_types::{AttachmentId, ContainerId, IfName};

/// The owner of an address, as the text of its file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Owner(String);

impl Owner {
    /// The attachment itself.
    pub(crate) fn new(id: &AttachmentId) -> Self {
        Self(format!("{}\r\n{}", id.container_id, id.ifname))
    }

    /// The whole container: the oldest format, still to be found on nodes upgraded in place.
    pub(crate) fn container(id: &AttachmentId) -> Self {
        Self(id.container_id.to_string())
    }

    /// Reads a file's content, white space around it ignored. `None` is garbage, such as the empty file that a full
    /// disk or a crash leaves.
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?.trim();
        match text.split_once("\r\n") {
            Some((id, ifname)) => {
                ContainerId::new(id).ok()?;
                IfName::new(ifname).ok()?;
            }
            None => {
                ContainerId::new(text).ok()?;
            }
        }
        Some(Self(text.to_owned()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key of the index: FNV-1a, 64 bits (draft-eastlake-fnv). It is stored, so it has to stay the same.
    pub(crate) fn hash(&self) -> u64 {
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// For messages: `<container id> (<ifname>)`.
    pub(crate) fn describe(&self) -> String {
        match self.0.split_once("\r\n") {
            Some((id, ifname)) => format!("{id} ({ifname})"),
            None => self.0.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_owners_or_garbage() {
        for (content, wanted) in [
            (&b"a\r\neth0"[..], Some("a\r\neth0")),
            (b" a\r\neth0\n", Some("a\r\neth0")),
            (b"a", Some("a")),
            (b"a\r\n", Some("a")),
            (b"", None),
            (b" \n", None),
            (b"\0\0\0\0", None),
            (b"a\0", None),
            (b"\xff", None),
            (b"a\neth0", None),
            (b"a\r\neth0\r\nx", None),
            (b"../x\r\neth0", None),
            (&[b'a'; 300], None),
        ] {
            assert_eq!(Owner::parse(content).map(|o| o.0).as_deref(), wanted, "{content:?}");
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(Owner("a".into()).hash(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Owner("foobar".into()).hash(), 0x8594_4171_f739_67e8);
    }
}
