//! What an ipvlan is made with (`IFLA_IPVLAN_*`, `linux/if_link.h`). `ip link add type ipvlan`.

use cni_netlink::attr::{Attrs, find, host16};
use cni_types::{Words, words};

/// `IFLA_IPVLAN_MODE`, `IFLA_IPVLAN_FLAGS`
const MODE: u16 = 1;
const FLAGS: u16 = 2;

/// What the master does with a packet (`IPVLAN_MODE_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum IpvlanMode {
    /// It looks at its address like a switch.
    #[default]
    L2 = 0,
    /// It routes it.
    L3 = 1,
    /// It routes it through the packet filter.
    L3s = 2,
}

words!(IpvlanMode { L2 = "l2", L3 = "l3", L3s = "l3s" });

/// Which of a master's ipvlans reach each other (`IPVLAN_F_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum IpvlanFlag {
    /// All of them.
    #[default]
    Bridge = 0,
    /// None.
    Private = 1,
    /// Through a switch outside.
    Vepa = 2,
}

words!(IpvlanFlag { Bridge = "bridge", Private = "private", Vepa = "vepa" });

/// An ipvlan's own settings. All ipvlans on one master have the same: making one with others changes them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipvlan {
    /// The mode.
    pub mode: IpvlanMode,
    /// The flag; `ip link` calls it so.
    pub flag: IpvlanFlag,
}

impl Ipvlan {
    pub(super) fn put(self, data: &mut Attrs) {
        data.bytes(MODE, &(self.mode as u16).to_ne_bytes());
        data.bytes(FLAGS, &(self.flag as u16).to_ne_bytes());
    }

    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let number = |kind| find(data, kind).and_then(host16);
        let (mode, flag) = (number(MODE)?, number(FLAGS)?);
        Some(Self {
            mode: IpvlanMode::ALL.iter().copied().find(|known| *known as u16 == mode)?,
            flag: IpvlanFlag::ALL.iter().copied().find(|known| *known as u16 == flag)?,
        })
    }
}
