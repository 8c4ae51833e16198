//! The names of an attachment's chains and rules.

use cni_types::{AttachmentId, hex};

use crate::nft::{Chain, Table, TableFamily};

/// The table, which others may have as well.
pub(super) const TABLE: Table<'_> = Table { family: TableFamily::Bridge, name: "nat" };

/// What the private chains' names start with.
pub(super) const CHAIN_START: &str = "cni-br-iface-";
/// Longest chain name of tools of the reference's age, in bytes.
const CHAIN_MAX: usize = 127;
/// Longest chain name of the kernel, in bytes (`NFT_CHAIN_MAXNAMELEN` − 1).
const KERNEL_CHAIN_MAX: usize = 255;

/// The names of an attachment's objects.
pub(super) struct Names {
    pub(super) iface: String,
    pub(super) mac: String,
    pub(super) comment: String,
}

impl Names {
    pub(super) fn of(text: &str) -> Self {
        let iface = format!("{CHAIN_START}{text}");
        Self { mac: format!("{iface}-mac"), iface, comment: format!("macspoofchk-{text}") }
    }

    /// The reference's names.
    fn reference(id: &AttachmentId) -> Self {
        Self::of(&format!("{}-{}", id.container_id, id.ifname))
    }

    /// The reference's names where they fit and can be read back, else hashed ones.
    pub(super) fn new(id: &AttachmentId) -> Self {
        let names = Self::reference(id);
        let plain = id.ifname.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if plain && names.mac.len() <= CHAIN_MAX {
            return names;
        }
        Self::of(&hex(&format!("{}-{}", id.container_id, id.ifname), 32))
    }

    /// All names the attachment's objects can have, whoever made them.
    pub(super) fn all(id: &AttachmentId) -> Vec<Self> {
        let (ours, reference) = (Self::new(id), Self::reference(id));
        let differ = ours.iface != reference.iface && reference.mac.len() <= KERNEL_CHAIN_MAX;
        if differ { vec![ours, reference] } else { vec![ours] }
    }

    /// A text with the names in it.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("$iface", &self.iface).replace("$comment", &self.comment)
    }

    pub(super) fn chains(&self) -> [Chain<'_>; 2] {
        [Chain { table: TABLE, name: &self.iface }, Chain { table: TABLE, name: &self.mac }]
    }
}

#[cfg(test)]
mod tests {
    use cni_types::{ContainerId, IfName, NetworkName};

    use super::*;

    fn id(container: &str, ifname: &str) -> AttachmentId {
        AttachmentId {
            network: NetworkName::new("net").unwrap(),
            container_id: ContainerId::new(container).unwrap(),
            ifname: IfName::new(ifname).unwrap(),
        }
    }

    #[test]
    fn the_reference_names_are_used_where_they_fit() {
        let names = Names::new(&id("c1", "eth0"));
        assert_eq!(names.iface, "cni-br-iface-c1-eth0");
        assert_eq!(names.mac, "cni-br-iface-c1-eth0-mac");
        assert_eq!(names.comment, "macspoofchk-c1-eth0");
        assert_eq!(Names::all(&id("c1", "eth0")).len(), 1);
        assert_eq!(Names::new(&id(&"c".repeat(105), "eth0")).mac.len(), 127);
    }

    #[test]
    fn other_names_are_hashed_and_both_are_removed() {
        for (container, ifname) in
            [("c".repeat(106), "eth0"), ("c".to_owned(), "x;{}"), ("c".to_owned(), "\"x")]
        {
            let all = Names::all(&id(&container, ifname));
            assert_eq!(all.len(), 2, "{ifname}");
            assert_eq!(all[0].mac.len(), CHAIN_START.len() + 32 + 4);
            assert!(all[0].mac.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        }
        assert_eq!(Names::all(&id(&"c".repeat(255), "eth0")).len(), 1, "too long for any kernel");
    }
}
