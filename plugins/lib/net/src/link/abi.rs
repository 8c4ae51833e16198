//! Numbers of the kernel's headers that several modules have.

/// `RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`): counters are half of a link message and nobody here reads them.
pub(super) const SKIP_STATS: u32 = 1 << 3;
/// `IFLA_EXT_MASK`
pub(crate) const IFLA_EXT_MASK: u16 = 29;
/// `IFLA_INFO_SLAVE_KIND`, `IFLA_INFO_SLAVE_DATA` inside `IFLA_LINKINFO`
pub(crate) const INFO_SLAVE_KIND: u16 = 4;
pub(crate) const INFO_SLAVE_DATA: u16 = 5;

/// Administratively up (`linux/if.h`).
pub const IFF_UP: u32 = 0x1;
/// Every packet is received (`linux/if.h`).
pub const IFF_PROMISC: u32 = 0x100;
/// Every multicast packet is received (`linux/if.h`).
pub(super) const IFF_ALLMULTI: u32 = 0x200;
