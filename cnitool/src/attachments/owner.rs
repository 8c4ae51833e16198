//! Who a tag names.

use cni_types::{AttachmentId, ContainerId, IfName, NetworkName};

/// Whom the tag names in words, where its hash agrees: a tag may have been cut, or be somebody else's text.
pub(super) fn named_by(tag: &str) -> Option<AttachmentId> {
    let (hash, rest) = tag.split_once(", net: ")?;
    let (network, rest) = rest.split_once(", if: ")?;
    let (ifname, container_id) = rest.split_once(", id: ")?;
    let id = AttachmentId {
        network: NetworkName::new(network).ok()?,
        container_id: ContainerId::new(container_id).ok()?,
        ifname: IfName::new(ifname).ok()?,
    };
    (id.tag_prefix() == hash).then_some(id)
}

/// Characters of each of a tag's hashes.
const HASH: usize = 16;

/// The tag's hashes, if it is one: [`AttachmentId::tag_prefix`]. Behind them a record may have its container, or a rule
/// its form.
pub(super) fn prefix_of(tag: &str) -> Option<&str> {
    let (prefix, rest) = tag.split_at_checked(2 * HASH + 1)?;
    let ends = rest.is_empty() || rest.starts_with([',', '-', ' ']);
    (ends && AttachmentId::is_tag(&format!("{prefix}, net: "))).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_owner_only_where_its_hash_agrees() {
        let id = AttachmentId {
            network: NetworkName::new("web").unwrap(),
            container_id: ContainerId::new("c1").unwrap(),
            ifname: IfName::new("eth0").unwrap(),
        };
        let tag = id.tag();
        assert_eq!(named_by(&tag), Some(id.clone()));
        assert_eq!(prefix_of(&tag), Some(&*id.tag_prefix()));
        for more in ["", "-0123456789abcdef01234567", " 5, net: web"] {
            assert_eq!(prefix_of(&format!("{}{more}", id.tag_prefix())), Some(&*id.tag_prefix()), "{more}");
        }
        assert_eq!(prefix_of(&format!("{}0", id.tag_prefix())), None);
        assert_eq!(named_by(&tag[..tag.len() - 1]), None);
        for text in ["", "uplink, net: web, if: eth0, id: c1", "a-b"] {
            assert_eq!((named_by(text), prefix_of(text)), (None, None), "{text}");
        }
    }
}
