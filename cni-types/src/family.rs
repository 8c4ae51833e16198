//! IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Index, IndexMut};

/// An address family. A pair with one value for each is indexed by it, IPv4 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, IPv4 first.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub const fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The family with this number ([`Family::number`]).
    pub fn find(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.number() == number)
    }

    /// The protocol's version: 4 or 6.
    pub const fn version(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// The kernel's number: `AF_INET` or `AF_INET6`, and as well `NFPROTO_IPV4` or `NFPROTO_IPV6`.
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 2,
            Self::V6 => 10,
        }
    }

    /// The length of an address in bits, which is the longest prefix: 32 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The length of an address in bytes: 4 or 16.
    pub const fn octets(self) -> u8 {
        self.bits() / 8
    }

    /// `0.0.0.0` or `::`.
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// The mask of a prefix length in bits; from [`Family::bits`] on it is all ones.
    pub fn mask(self, prefix: u8) -> IpAddr {
        let rest = u32::from(self.bits().saturating_sub(prefix));
        match self {
            Self::V4 => Ipv4Addr::from(u32::MAX.checked_shl(rest).unwrap_or(0)).into(),
            Self::V6 => Ipv6Addr::from(u128::MAX.checked_shl(rest).unwrap_or(0)).into(),
        }
    }
}

impl<T> Index<Family> for [T; 2] {
    type Output = T;

    fn index(&self, family: Family) -> &T {
        let [v4, v6] = self;
        if family == Family::V4 { v4 } else { v6 }
    }
}

impl<T> IndexMut<Family> for [T; 2] {
    fn index_mut(&mut self, family: Family) -> &mut T {
        let [v4, v6] = self;
        if family == Family::V4 { v4 } else { v6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_as_many_ones_as_its_prefix() {
        for family in Family::ALL {
            for prefix in [0, 1, 8, 31, family.bits()] {
                let ones = match family.mask(prefix) {
                    IpAddr::V4(mask) => u32::from(mask).leading_ones(),
                    IpAddr::V6(mask) => u128::from(mask).leading_ones(),
                };
                assert_eq!(ones, u32::from(prefix), "{family:?}");
                assert_eq!(Family::of(family.mask(prefix)), family);
            }
            assert_eq!(Family::find(family.number()), Some(family));
        }
    }
}
