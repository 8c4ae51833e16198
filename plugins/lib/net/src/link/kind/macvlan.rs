//! What a macvlan is made with (`IFLA_MACVLAN_*`, `linux/if_link.h`). `ip link add type macvlan`.

use std::fmt;
use std::str::FromStr;

use cni_netlink::attr::{Attrs, find, host32};
use cni_types::Error;

/// `IFLA_MACVLAN_MODE`, `IFLA_MACVLAN_BC_QUEUE_LEN`
const MODE: u16 = 1;
const BC_QUEUE_LEN: u16 = 7;

/// Which of a master's macvlans reach each other (`MACVLAN_MODE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// None.
    Private,
    /// Through a switch outside that sends back what it gets.
    Vepa,
    /// All, directly.
    Bridge,
    /// There is only one, and it has the master's address.
    Passthru,
}

/// The modes' names, as in configurations and in `ip link`, with their numbers.
const MODES: [(Mode, &str, u32); 4] = [
    (Mode::Private, "private", 1),
    (Mode::Vepa, "vepa", 2),
    (Mode::Bridge, "bridge", 4),
    (Mode::Passthru, "passthru", 8),
];

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = MODES.iter().find(|(_, name, _)| *name == text).map(|(mode, ..)| *mode);
        found.ok_or_else(|| {
            Error::config(format!(
                "unknown macvlan mode {text:?}: it must be bridge, private, vepa or passthru"
            ))
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MODES.iter().find(|(mode, ..)| mode == self).map_or("", |(_, name, _)| name))
    }
}

/// A macvlan's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macvlan {
    /// The mode.
    pub mode: Mode,
    /// How many broadcast packets may wait to be copied; 0 is the kernel's default.
    pub bc_queue_length: u32,
}

impl Macvlan {
    /// The kernel's default queue is any length.
    pub(super) fn agrees_with(self, found: Self) -> bool {
        self.mode == found.mode && [0, found.bc_queue_length].contains(&self.bc_queue_length)
    }

    pub(super) fn put(self, data: &mut Attrs) {
        let number = MODES.iter().find(|(mode, ..)| *mode == self.mode).map_or(0, |(.., number)| *number);
        data.host32(MODE, number);
        if self.bc_queue_length != 0 {
            data.host32(BC_QUEUE_LEN, self.bc_queue_length);
        }
    }

    /// `None` for a mode that configurations do not have (`source`).
    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let number = find(data, MODE).map(host32)?;
        let mode = MODES.iter().find(|(.., n)| *n == number)?.0;
        Some(Self { mode, bc_queue_length: find(data, BC_QUEUE_LEN).map_or(0, host32) })
    }
}
