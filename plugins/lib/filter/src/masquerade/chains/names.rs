//! What the layout's chains and comments are called, and what it leaves alone.

use cni_types::{AttachmentId, Family, NetworkName, network_tag_prefix};

/// Longest xtables comment in bytes (`XT_MAX_COMMENT_LEN` − 1, `xt_comment.h`).
const COMMENT_MAX: usize = 255;
/// The chain all jumps are in.
pub(super) const POSTROUTING: &str = "POSTROUTING";

/// The chain of a container in a network.
pub(super) fn chain_name(id: &AttachmentId) -> String {
    format!("CNI-{}", id.container_hash(24))
}

/// Whether a chain can be one of [`chain_name`]'s.
pub(super) fn is_chain_name(name: &str) -> bool {
    name.strip_prefix("CNI-").is_some_and(|hash| {
        hash.len() == 24 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// What every comment of a network starts with: the reference's form and the one for long names.
pub(super) fn comment_starts(network: &NetworkName) -> [String; 2] {
    [format!("name: \"{network}\" id: \""), format!("net: {} id: ", network_tag_prefix(network))]
}

/// The reference's comment; where its text does not fit, one with hashes.
pub(super) fn comment(id: &AttachmentId) -> String {
    let [start, short] = comment_starts(&id.network);
    let full = format!("{start}{}\"", id.container_id);
    if full.len() <= COMMENT_MAX { full } else { format!("{short}{}", id.container_hash(24)) }
}

/// What leaves as it is, everywhere.
pub(super) fn multicast(family: Family) -> &'static str {
    match family {
        Family::V4 => "224.0.0.0/4",
        Family::V6 => "ff00::/8",
    }
}
