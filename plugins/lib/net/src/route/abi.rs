//! Numbers of `linux/rtnetlink.h`.

/// `RTPROT_BOOT`, `RTN_UNICAST` (`linux/rtnetlink.h`)
pub(super) const PROTO_BOOT: u8 = 3;
pub(super) const TYPE_UNICAST: u8 = 1;
/// `RTAX_MTU`, `RTAX_ADVMSS` inside `RTA_METRICS`
pub(super) const RTAX_MTU: u16 = 2;
pub(super) const RTAX_ADVMSS: u16 = 8;
/// Size of `struct rtmsg`.
pub(super) const HEADER: usize = 12;

/// `RT_TABLE_MAIN` (`linux/rtnetlink.h`)
pub const TABLE_MAIN: u32 = 254;
/// `RT_TABLE_LOCAL`: the kernel's own.
pub const TABLE_LOCAL: u32 = 255;
