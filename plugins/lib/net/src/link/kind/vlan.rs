//! What a VLAN link is made with (`IFLA_VLAN_*`, `linux/if_link.h`; IEEE 802.1Q). `ip link add type vlan`.

use cni_netlink::attr::{Attrs, find, host16};

/// `IFLA_VLAN_ID`
const ID: u16 = 1;

/// A VLAN link's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vlan {
    /// The id that its packets carry, 0–4094. Those with 0 carry a priority only.
    pub id: u16,
}

impl Vlan {
    /// The largest id; 4095 is reserved (IEEE 802.1Q, table 9-2).
    pub const ID_MAX: i64 = 4094;

    pub(super) fn put(self, data: &mut Attrs) {
        data.bytes(ID, &self.id.to_ne_bytes());
    }

    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        Some(Self { id: host16(find(data, ID)?)? })
    }
}
