//! Sets of `<address> . <network>`, one per family and prefix length: `pods4_24`, `sources6_64` …

use std::net::IpAddr;

use cni_types::{Cidr, Family, ip_from_octets, ip_octets};

/// The set of one family and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByPrefix {
    /// What its name starts with.
    pub stem: &'static str,
    /// The family.
    pub family: Family,
    /// How many bits of an address are its network's.
    pub prefix: u8,
}

impl ByPrefix {
    /// The one for such networks.
    pub fn of(stem: &'static str, network: Cidr) -> Self {
        Self { stem, family: network.family(), prefix: network.prefix() }
    }

    /// The name.
    pub fn name(self) -> String {
        format!("{}{}_{}", self.stem, self.family.version(), self.prefix)
    }

    /// Reads a name.
    pub fn parse(stem: &'static str, name: &str) -> Option<Self> {
        let prefix = name.strip_prefix(stem)?.split_once('_')?.1.parse().ok()?;
        let of = |family| Self { stem, family, prefix };
        Family::ALL.into_iter().map(of).find(|set| set.name() == name && prefix <= set.family.bits())
    }

    /// The network of an address, if it is of the family.
    pub fn network(self, ip: IpAddr) -> Option<Cidr> {
        Cidr::new(ip, self.prefix).filter(|cidr| cidr.family() == self.family)
    }

    /// The key of an address and the network that another address is in.
    pub fn key(address: IpAddr, network: Cidr) -> Vec<u8> {
        [ip_octets(address), ip_octets(network.network())].concat()
    }

    /// The address in a key.
    pub fn address(self, key: &[u8]) -> Option<IpAddr> {
        ip_from_octets(key.get(..usize::from(self.family.octets()))?)
    }

    /// Its declaration in a layout.
    pub fn declaration(self) -> String {
        let version = self.family.version();
        format!("set {} {{ type ipv{version}_addr . ipv{version}_addr; }}", self.name())
    }

    /// A rule in which `$set` stands for it, `$ip` for the family, and `$network` for the bits of the network behind an
    /// address. The network of a whole address is the address itself.
    pub fn rule(self, text: &str) -> String {
        let is_whole = self.prefix == self.family.bits();
        let network = if is_whole { String::new() } else { format!("& {}", self.family.mask(self.prefix)) };
        let text = text.replace("$ip", if self.family == Family::V4 { "ip" } else { "ip6" });
        text.replace("$set", &format!("@{}", self.name())).replace("$network", &network)
    }
}
