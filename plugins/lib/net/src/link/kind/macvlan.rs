//! What a macvlan is made with (`IFLA_MACVLAN_*`, `linux/if_link.h`). `ip link add type macvlan`.

use cni_netlink::attr::{Attrs, find, host32};
use cni_types::Result;

use super::Choice;

/// `IFLA_MACVLAN_MODE`, `IFLA_MACVLAN_BC_QUEUE_LEN`
const MODE: u16 = 1;
const BC_QUEUE_LEN: u16 = 7;

/// Which of a master's macvlans reach each other (`MACVLAN_MODE_*`): all of them, directly; none; through a switch
/// outside that sends back what it gets; there is only one, and it has the master's address.
const MODES: [Choice; 4] =
    [Choice::new("bridge", 4), Choice::new("private", 1), Choice::new("vepa", 2), Choice::new("passthru", 8)];

/// A macvlan's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macvlan {
    /// The mode.
    pub mode: Choice,
    /// How many broadcast packets may wait to be copied; 0 is the kernel's default.
    pub bc_queue_length: u32,
}

impl Macvlan {
    /// With the mode of this name; `bridge` where it is empty.
    ///
    /// # Errors
    /// Code 7 for a mode that there is not.
    pub fn new(mode: &str, bc_queue_length: u32) -> Result<Self> {
        Ok(Self { mode: Choice::parse("mode", mode, &MODES)?, bc_queue_length })
    }

    /// The kernel's default queue is any length.
    pub(super) fn agrees_with(self, found: Self) -> bool {
        self.mode == found.mode && [0, found.bc_queue_length].contains(&self.bc_queue_length)
    }

    pub(super) fn put(self, data: &mut Attrs) {
        data.host32(MODE, self.mode.number.into());
        if self.bc_queue_length != 0 {
            data.host32(BC_QUEUE_LEN, self.bc_queue_length);
        }
    }

    /// `None` for a mode that configurations do not have (`source`).
    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let mode = find(data, MODE).and_then(host32).and_then(|number| Choice::numbered(number, &MODES))?;
        Some(Self { mode, bc_queue_length: find(data, BC_QUEUE_LEN).and_then(host32).unwrap_or(0) })
    }
}
