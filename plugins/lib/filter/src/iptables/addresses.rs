//! The addresses an option of a rule stands for, whichever way they are written: `192.0.2.9/24`,
//! `192.0.2.0/255.255.255.0` and `192.0.2.0-192.0.2.255` are the same ones.

use std::net::IpAddr;

use cni_types::{Cidr, Family};

/// The addresses of one family that a rule matches by one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    family: Family,
    which: Which,
}

/// Addresses as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// From the first to the last, both included.
    Range(u128, u128),
    /// Those that have these bits under this mask, which is not that of a prefix.
    Masked(u128, u128),
}

impl Addresses {
    /// Reads an address, a network with a prefix length or a mask, or a range. As in iptables, an IPv4 network may lack
    /// the bytes at its end, and host bits are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
            return (Family::of(first) == Family::of(last))
                .then(|| Self { family: Family::of(first), which: Which::Range(bits(first), bits(last)) });
        }
        let Some((ip, mask)) = text.split_once('/') else {
            return text.parse().ok().map(|ip| Self::from(Cidr::host(ip)));
        };
        let ip: IpAddr = ip.parse().ok().or_else(|| completed(ip))?;
        if let Ok(prefix) = mask.parse() {
            return Cidr::new(ip, prefix).map(Self::from);
        }
        let mask: IpAddr = mask.parse().ok()?;
        Self::masked(ip, mask)
    }

    /// The network, if it is one and not some range.
    pub fn network(self) -> Option<Cidr> {
        let Which::Range(first, last) = self.which else { return None };
        let network = |prefix| Cidr::new(self.address(first), prefix);
        (0..=self.family.bits())
            .filter_map(network)
            .find(|network| Self::from(*network).which == Which::Range(first, last))
    }

    /// Whether the address is one of them.
    pub(crate) fn contains(self, ip: IpAddr) -> bool {
        self.family == Family::of(ip)
            && match self.which {
                Which::Range(first, last) => (first..=last).contains(&bits(ip)),
                Which::Masked(value, mask) => bits(ip) & mask == value,
            }
    }

    /// Whether they have one in common; where that is hard to tell, they have.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.family == other.family
            && match (self.which, other.which) {
                (Which::Range(first, last), Which::Range(from, to)) => first <= to && from <= last,
                _ => true,
            }
    }

    /// Those that have the address's bits under the mask; `None` when the mask is of the other family.
    pub(super) fn masked(ip: IpAddr, mask: IpAddr) -> Option<Self> {
        if Family::of(mask) != Family::of(ip) {
            return None;
        }
        let all = bits(Family::of(ip).mask(u8::MAX));
        let (ip_bits, mask_bits) = (bits(ip) & bits(mask), bits(mask));
        let rest = !mask_bits & all;
        let is_prefix = rest & rest.wrapping_add(1) == 0;
        let which =
            if is_prefix { Which::Range(ip_bits, ip_bits | rest) } else { Which::Masked(ip_bits, mask_bits) };
        Some(Self { family: Family::of(ip), which })
    }

    fn address(self, bits: u128) -> IpAddr {
        match u32::try_from(bits) {
            Ok(bits) if self.family == Family::V4 => IpAddr::from(bits.to_be_bytes()),
            _ => IpAddr::from(bits.to_be_bytes()),
        }
    }
}

impl From<Cidr> for Addresses {
    fn from(network: Cidr) -> Self {
        let which = Which::Range(bits(network.network()), bits(network.last()));
        Self { family: network.family(), which }
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

/// `10.1` is 10.1.0.0, where a mask follows.
fn completed(text: &str) -> Option<IpAddr> {
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for (byte, part) in bytes.iter_mut().zip(&mut parts) {
        *byte = part.parse().ok()?;
    }
    parts.next().is_none().then(|| IpAddr::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_in_every_form() {
        let read = |text| Addresses::parse(text).unwrap_or_else(|| panic!("{text}"));
        for same in [
            &["192.0.2.9/24", "192.0.2.0/24", "192.0.2.77/255.255.255.0", "192.0.2.0-192.0.2.255"][..],
            &["192.0.2.1", "192.0.2.1/32", "192.0.2.1/255.255.255.255", "192.0.2.1-192.0.2.1"],
            &["10/8", "10.0.0.0/8", "10.9.8.7/255.0.0.0"],
            &["10.0.0.1/255.0.0.255", "10.7.7.1/255.0.0.255"],
            &["0.0.0.0/0", "1.2.3.4/0", "0.0.0.0-255.255.255.255"],
            &[
                "fd00::2/64",
                "fd00:0::/64",
                "fd00::9/ffff:ffff:ffff:ffff::",
                "fd00::-fd00::ffff:ffff:ffff:ffff",
            ],
            &["fd00::2", "fd00:0:0::2/128"],
        ] {
            same.iter().for_each(|text| assert_eq!(read(text), read(same[0]), "{text}"));
        }
        for (one, other) in [("10.0.0.0/8", "10.0.0.0/9"), ("0.0.0.0/0", "::/0"), ("::a00:1", "10.0.0.1")] {
            assert_ne!(read(one), read(other));
        }
        assert_eq!(read("192.0.2.0-192.0.2.127").network(), "192.0.2.0/25".parse().ok());
        assert_eq!(read("192.0.2.0-192.0.2.128").network(), None);
        for bad in ["", "tcp", "10", "10.1", "1.2.3.4/33", "1.2.3.4/fd00::", "1.2.3.4-fd00::", "a/8", "/8"] {
            assert_eq!(Addresses::parse(bad), None, "{bad}");
        }
    }
}
