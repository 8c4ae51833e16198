//! What an ipvlan is made with (`IFLA_IPVLAN_*`, `linux/if_link.h`). `ip link add type ipvlan`.

use cni_netlink::attr::{Attrs, find, host16};
use cni_types::Result;

use super::Choice;

/// `IFLA_IPVLAN_MODE`, `IFLA_IPVLAN_FLAGS`
const MODE: u16 = 1;
const FLAGS: u16 = 2;

/// What the master does with a packet (`IPVLAN_MODE_*`): looks at its address like a switch; routes it; routes it through
/// the packet filter.
const MODES: [Choice; 3] = [Choice::new("l2", 0), Choice::new("l3", 1), Choice::new("l3s", 2)];
/// Which of a master's ipvlans reach each other (`IPVLAN_F_*`): all of them; none; through a switch outside.
const ISOLATIONS: [Choice; 3] = [Choice::new("bridge", 0), Choice::new("private", 1), Choice::new("vepa", 2)];

/// An ipvlan's own settings. All ipvlans on one master have the same: making one with others changes them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipvlan {
    /// The mode.
    pub mode: Choice,
    /// The flag; `ip link` calls it so.
    pub flag: Choice,
}

impl Ipvlan {
    /// With the mode and the flag of these names; `l2` and `bridge` where they are empty.
    ///
    /// # Errors
    /// Code 7 for names that there are not.
    pub fn new(mode: &str, flag: &str) -> Result<Self> {
        let mode = Choice::parse("mode", mode, &MODES)?;
        Ok(Self { mode, flag: Choice::parse("flag", flag, &ISOLATIONS)? })
    }

    pub(super) fn put(self, data: &mut Attrs) {
        data.bytes(MODE, &self.mode.number.to_ne_bytes());
        data.bytes(FLAGS, &self.flag.number.to_ne_bytes());
    }

    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let choice = |kind, choices| Choice::numbered(host16(find(data, kind)?)?.into(), choices);
        Some(Self { mode: choice(MODE, &MODES)?, flag: choice(FLAGS, &ISOLATIONS)? })
    }
}
