//! The identity of an attachment: what every piece of host state is found by.

use sha2::{Digest, Sha512};

use crate::error::{Code, Error};
use crate::name::{ContainerId, IfName, NetworkName};

/// Longest [`AttachmentId::tag`] in bytes: an nftables comment (`NFTNL_UDATA_COMMENT_MAXLEN`).
const TAG_MAX: usize = 128;

/// Hex digits of each of the two hashes that a tag begins with.
pub(crate) const HASH: usize = 16;

/// One interface of one container in one network. (network, container id, ifname) is the key of all host state, so
/// that DEL needs neither a previous result nor a live namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttachmentId {
    /// The network's name.
    pub network: NetworkName,
    /// The container.
    pub container_id: ContainerId,
    /// The interface's name in the container.
    pub ifname: IfName,
}

impl AttachmentId {
    /// The owner mark on nftables elements, rules and host links:
    /// `<network hash>-<attachment hash>, net: <network>, if: <ifname>, id: <container id>`, at most 128 bytes. The
    /// reference's masquerade comments have the same form.
    pub fn tag(&self) -> String {
        let mut tag = format!(
            "{}, net: {}, if: {}, id: {}",
            self.tag_prefix(),
            self.network,
            self.ifname.as_str().replace('"', ""),
            self.container_id
        );
        let end = (0..=TAG_MAX.min(tag.len())).rev().find(|&i| tag.is_char_boundary(i)).unwrap_or(0);
        tag.truncate(end);
        tag
    }

    /// The part of the tag that identifies the attachment: two hashes of 16 hex digits, joined by `-`.
    pub fn tag_prefix(&self) -> String {
        format!("{}-{}", network_tag_prefix(&self.network), self.owner_digits())
    }

    /// The second of the hashes: of the interface and its container.
    pub(crate) fn owner_digits(&self) -> String {
        hex(&format!("{}:{}", self.ifname, self.container_id), HASH)
    }

    /// Whether `text` is this attachment's [`tag`](Self::tag).
    pub fn owns(&self, text: &str) -> bool {
        text.starts_with(&self.tag_prefix())
    }

    /// The refusal of a second ADD (spec 1.1.0, "ADD"; no DEL in between); `place` says where the first one's link is.
    pub fn attached_already(&self, place: &str) -> Error {
        let Self { network, container_id, ifname } = self;
        let text =
            format!("interface {ifname} of container {container_id} already exists in network {network}");
        Error::new(Code::KERNEL, text).because(format!("{place}; was this container's DEL forgotten?"))
    }

    /// Whether `text` has the form of a [`tag`](Self::tag): somebody's, if not this attachment's.
    pub fn is_tag(text: &str) -> bool {
        let hash = |part: &str| part.len() == HASH && part.bytes().all(|b| b.is_ascii_hexdigit());
        let hashes = text.split(", net: ").next().filter(|hashes| hashes.len() < text.len());
        hashes.and_then(|hashes| hashes.split_once('-')).is_some_and(|(net, owner)| hash(net) && hash(owner))
    }

    /// Whether `tag` is that of an attachment of another container. Its end, the id, may have been cut.
    pub fn is_of_another_container(&self, tag: &str) -> bool {
        let id = tag.rsplit_once(", id: ").map_or("", |(_, id)| id);
        Self::is_tag(tag) && !self.container_id.as_str().starts_with(id)
    }

    /// A container-wide hash of `digits` hex digits over network and container id, without the interface name: what
    /// the reference names its iptables chains and ifb devices by.
    pub fn container_hash(&self, digits: usize) -> String {
        hex(&format!("{}{}", self.network, self.container_id), digits)
    }
}

/// The first 16 hex digits of the network's hash: what all tags of one network start with.
pub fn network_tag_prefix(network: &NetworkName) -> String {
    hex(network.as_str(), HASH)
}

/// The first `digits` lower-case hex digits (at most 128) of the text's SHA-512.
pub fn hex(text: &str, digits: usize) -> String {
    hex_digits(&Sha512::digest(text)).take(digits).collect()
}

/// Bytes as lower-case hex digits, two for each.
pub fn hex_digits(bytes: &[u8]) -> impl Iterator<Item = char> {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16))
}
