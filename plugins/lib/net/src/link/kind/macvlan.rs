//! What a macvlan is made with (`IFLA_MACVLAN_*`, `linux/if_link.h`). `ip link add type macvlan`.

use cni_netlink::attr::{Attrs, find, host32};
use cni_types::{Words, words};

/// `IFLA_MACVLAN_MODE`, `IFLA_MACVLAN_BC_QUEUE_LEN`
const MODE: u16 = 1;
const BC_QUEUE_LEN: u16 = 7;

/// Which of a master's macvlans reach each other (`MACVLAN_MODE_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum MacvlanMode {
    /// All of them, directly.
    #[default]
    Bridge = 4,
    /// None.
    Private = 1,
    /// Through a switch outside that sends back what it gets.
    Vepa = 2,
    /// There is only one, and it has the master's address.
    Passthru = 8,
}

words!(MacvlanMode { Bridge = "bridge", Private = "private", Vepa = "vepa", Passthru = "passthru" });

/// A macvlan's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macvlan {
    /// The mode.
    pub mode: MacvlanMode,
    /// How many broadcast packets may wait to be copied; 0 is the kernel's default.
    pub bc_queue_length: u32,
}

impl Macvlan {
    /// The kernel's default queue is any length.
    pub(super) fn agrees_with(self, found: Self) -> bool {
        self.mode == found.mode && [0, found.bc_queue_length].contains(&self.bc_queue_length)
    }

    pub(super) fn put(self, data: &mut Attrs) {
        data.host32(MODE, self.mode as u32);
        if self.bc_queue_length != 0 {
            data.host32(BC_QUEUE_LEN, self.bc_queue_length);
        }
    }

    /// `None` for a mode that configurations do not have (`source`).
    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let number = find(data, MODE).and_then(host32)?;
        let mode = MacvlanMode::ALL.iter().copied().find(|mode| *mode as u32 == number)?;
        Some(Self { mode, bc_queue_length: find(data, BC_QUEUE_LEN).and_then(host32).unwrap_or(0) })
    }
}
