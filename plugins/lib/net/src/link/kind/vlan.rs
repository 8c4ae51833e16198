//! What a VLAN link is made with (`IFLA_VLAN_*`, `linux/if_link.h`; IEEE 802.1Q). `ip link add type vlan`.

use cni_netlink::attr::{Attrs, find, host16};
use cni_types::{Error, Result};

/// `IFLA_VLAN_ID`
const ID: u16 = 1;
/// The largest VLAN id; 4095 is reserved (IEEE 802.1Q, table 9-2).
const ID_MAX: u16 = 4094;

/// A VLAN link's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vlan {
    /// The id that its packets carry, 0–4094. Those with 0 carry a priority only.
    pub id: u16,
}

impl Vlan {
    /// With the id of configuration key `vlanId`.
    ///
    /// # Errors
    /// Code 7 with the allowed range.
    pub fn new(id: i64) -> Result<Self> {
        let invalid = || Error::config(format!("invalid vlanId {id}: it must be 0–{ID_MAX}"));
        Ok(Self { id: u16::try_from(id).ok().filter(|id| *id <= ID_MAX).ok_or_else(invalid)? })
    }

    pub(super) fn put(self, data: &mut Attrs) {
        data.bytes(ID, &self.id.to_ne_bytes());
    }

    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        Some(Self { id: host16(find(data, ID)?)? })
    }
}
