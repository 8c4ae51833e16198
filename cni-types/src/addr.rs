//! IP addresses as CNI writes them: plain texts, and CIDRs with host bits.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::family::Family;
use crate::name::excerpt;

/// Reads an IP address as Go does: an IPv4-mapped IPv6 text is IPv4, leading zeros in octets are refused.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Reads `ip` or `ip/prefix`, dropping the prefix: the form of requested addresses.
pub fn parse_ip_or_cidr(text: &str) -> Option<IpAddr> {
    if text.contains('/') { text.parse::<Cidr>().ok().map(|c| c.ip()) } else { parse_ip(text) }
}

/// The address's 4 or 16 bytes, as packets have them.
pub fn ip_octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The address as a number, for counting; comparable within one family only.
pub fn ip_number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The address of these bytes; `None` unless there are 4 or 16 of them.
pub fn ip_from_octets(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}

/// An address with its prefix length; host bits are kept (`10.1.2.3/16`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr(IpNetwork);

impl Cidr {
    /// An address with a prefix length of 0–32 (IPv4) or 0–128 (IPv6); `None` outside that.
    pub fn new(ip: IpAddr, prefix: u8) -> Option<Self> {
        IpNetwork::new(ip, prefix).ok().map(Self)
    }

    /// One address alone: `/32` or `/128`.
    pub fn host(ip: IpAddr) -> Self {
        Self(IpNetwork::from(ip))
    }

    /// The address, host bits included.
    pub fn ip(&self) -> IpAddr {
        self.0.ip()
    }

    /// The prefix length in bits.
    pub fn prefix(&self) -> u8 {
        self.0.prefix()
    }

    /// The network's first address, host bits cleared.
    pub fn network(&self) -> IpAddr {
        self.0.network()
    }

    /// The network's last address (IPv4: the broadcast address).
    pub fn last(&self) -> IpAddr {
        self.0.broadcast()
    }

    /// The same network with the host bits cleared.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self::new(self.network(), self.prefix()).unwrap_or(*self)
    }

    /// Whether `ip` lies in the network; never across families.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(ip)
    }

    /// The default destination, `0.0.0.0/0` or `::/0`.
    pub fn default_of(family: Family) -> Self {
        let ip = family.unspecified();
        // A prefix of 0 bits is always allowed.
        Self::new(ip, 0).unwrap_or_else(|| Self::host(ip))
    }

    /// The address's family.
    pub fn family(&self) -> Family {
        Family::of(self.ip())
    }

    /// Whether the address is IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.0.is_ipv4()
    }

    /// Whether this is a default destination, `0.0.0.0/0` or `::/0`.
    pub fn is_default(&self) -> bool {
        self.prefix() == 0 && self.network().is_unspecified()
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = |ip: IpAddr| match ip {
            ip if ip.is_unspecified() => 0,
            IpAddr::V4(_) => 24,
            IpAddr::V6(_) => 64,
        };
        let bad = || {
            let instead = match parse_ip(text) {
                Some(ip) => format!(", such as {ip}/{}", length(ip)),
                None if text == "default" => "; write 0.0.0.0/0, or ::/0 for IPv6".to_owned(),
                None => String::new(),
            };
            format!("invalid CIDR address {}: it must be <ip>/<prefix length>{instead}", excerpt(text))
        };
        let (ip, prefix) = text.split_once('/').ok_or_else(bad)?;
        let mapped = ip.parse::<IpAddr>().map_err(|_| bad())?;
        let ip = mapped.to_canonical();
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        // An IPv4-mapped text counts its prefix in the 128 bits it is written in.
        let (min, max) = match (mapped, ip) {
            (IpAddr::V6(_), IpAddr::V4(_)) => (96, 128),
            (_, IpAddr::V4(_)) => (0, 32),
            (_, IpAddr::V6(_)) => (0, 128),
        };
        let bits = prefix.parse().ok().filter(|bits: &u8| (min..=max).contains(bits));
        bits.and_then(|bits| Self::new(ip, bits - min)).ok_or_else(|| {
            format!("invalid CIDR address {}: the prefix length must be {min}–{max}", excerpt(text))
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip(), self.prefix())
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The value of a key that holds an IP address: text, where `""` means none, as Go's `net.IP` reads it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OptionalIp(pub Option<IpAddr>);

impl FromStr for OptionalIp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let bad = || {
            let hint = match text.parse::<Cidr>() {
                Ok(cidr) => format!(": write it without the prefix length, {}", cidr.ip()),
                Err(_) => String::new(),
            };
            format!("invalid IP address {}{hint}", excerpt(text))
        };
        parse_ip(text).map(|ip| Self(Some(ip))).ok_or_else(bad)
    }
}

impl<'de> Deserialize<'de> for OptionalIp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// For `#[serde(with)]` on an `Option<IpAddr>` that is printed too.
pub(crate) mod optional_ip {
    use super::{Deserialize, Deserializer, IpAddr, OptionalIp, Serializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<IpAddr>, D::Error> {
        OptionalIp::deserialize(deserializer).map(|ip| ip.0)
    }

    #[allow(clippy::ref_option, reason = "the signature serde's `with` calls")]
    pub(crate) fn serialize<S: Serializer>(ip: &Option<IpAddr>, serializer: S) -> Result<S::Ok, S::Error> {
        match ip {
            Some(ip) => serializer.collect_str(ip),
            None => serializer.serialize_str(""),
        }
    }
}
