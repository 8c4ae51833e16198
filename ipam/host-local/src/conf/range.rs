//! One range of addresses: part of a subnet, with the gateway that the subnet's containers use.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cni_types::{Cidr, Error, Family, OptionalIp, Result, ip_number, keys};

keys! {
    /// A range as the configuration writes it.
    #[derive(Debug, Clone)]
    pub(crate) struct RangeKeys {
        /// the network; prefix length 0–30 (IPv4), 0–126 (IPv6); no host bits
        "subnet" subnet: Option<Cidr>, required();
        /// the first address to give; in the subnet
        "rangeStart" range_start: OptionalIp, otherwise("the first usable one");
        /// the last one, included
        "rangeEnd" range_end: OptionalIp, otherwise("the last usable one");
        /// reported, and never given out
        "gateway" gateway: OptionalIp, otherwise("network + 1");
    }
}

/// Addresses `start` to `end`, both included, inside `subnet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    subnet: Cidr,
    start: IpAddr,
    end: IpAddr,
    gateway: IpAddr,
}

impl Range {
    /// Fills in the defaults: first address = gateway = network + 1, last address = the last usable one (IPv4: the
    /// one before broadcast).
    ///
    /// # Errors
    /// Code 7 when the subnet is missing, too small or has host bits set, or when the ends are not in it, in order.
    pub(crate) fn new(keys: &RangeKeys) -> Result<Self> {
        let subnet = keys.subnet.ok_or_else(|| {
            Error::config("a range has no \"subnet\": it must be a CIDR such as 10.1.0.0/16")
        })?;
        let longest = subnet.family().bits() - 2;
        if subnet.prefix() > longest {
            return Err(Error::config(format!("Network {subnet} too small to allocate from"))
                .because(format!("the prefix length must be 0–{longest}")));
        }
        if subnet.ip() != subnet.network() {
            return Err(Error::config(format!("subnet {subnet} has host bits set")).because(format!(
                "the network address for a prefix length of {} is {}",
                subnet.prefix(),
                subnet.network()
            )));
        }
        let network = subnet.network();
        let first = offset(network, 1);
        let last = if subnet.is_ipv4() {
            address(ip_number(subnet.last()).saturating_sub(1), network)
        } else {
            subnet.last()
        };
        let start = keys.range_start.0.unwrap_or(first);
        let end = keys.range_end.0.unwrap_or(last);
        require_inside("rangeEnd", end, subnet)?;
        require_inside("rangeStart", start, subnet)?;
        if ip_number(start) > ip_number(end) {
            return Err(Error::config(format!("rangeStart {start} is after rangeEnd {end}")));
        }
        Ok(Self { subnet, start, end, gateway: keys.gateway.0.unwrap_or(first) })
    }

    /// Whether the range holds `ip`; never across families.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        self.subnet.contains(ip) && (ip_number(self.start)..=ip_number(self.end)).contains(&ip_number(ip))
    }

    /// Whether the two share an address.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.family() == other.family()
            && ip_number(self.start) <= ip_number(other.end)
            && ip_number(other.start) <= ip_number(self.end)
    }

    /// How many addresses there are from start to end.
    pub(crate) fn size(&self) -> u128 {
        (ip_number(self.end) - ip_number(self.start)).saturating_add(1)
    }

    pub(crate) fn family(&self) -> Family {
        self.subnet.family()
    }

    pub(crate) fn start(&self) -> IpAddr {
        self.start
    }

    pub(crate) fn end(&self) -> IpAddr {
        self.end
    }

    pub(crate) fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// `ip` with the subnet's prefix length, as the result reports it.
    pub(crate) fn cidr(&self, ip: IpAddr) -> Cidr {
        Cidr::new(ip, self.subnet.prefix()).unwrap_or_else(|| Cidr::host(ip))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

fn require_inside(key: &str, ip: IpAddr, subnet: Cidr) -> Result<()> {
    if subnet.contains(ip) {
        return Ok(());
    }
    Err(Error::config(format!("{key} {ip} not in network {subnet}")).because(format!(
        "it must be from {} to {}",
        subnet.network(),
        subnet.last()
    )))
}

/// The address with this number, of the same family as `like`.
fn address(number: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

/// The address `steps` after `ip`; the family's last one if that is too far.
pub(crate) fn offset(ip: IpAddr, steps: u128) -> IpAddr {
    address(ip_number(ip).saturating_add(steps), ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(subnet: &str, start: &str, end: &str) -> Result<Range> {
        let ip = |text: &str| text.parse().unwrap();
        Range::new(&RangeKeys {
            subnet: Some(subnet.parse().unwrap()),
            range_start: ip(start),
            range_end: ip(end),
            gateway: OptionalIp(None),
        })
    }

    #[test]
    fn defaults_are_the_usable_addresses() {
        for (subnet, text, gateway, size) in [
            ("10.1.2.0/24", "10.1.2.1-10.1.2.254", "10.1.2.1", 254),
            ("10.1.2.0/30", "10.1.2.1-10.1.2.2", "10.1.2.1", 2),
            ("2001:db8::/126", "2001:db8::1-2001:db8::3", "2001:db8::1", 3),
            ("0.0.0.0/0", "0.0.0.1-255.255.255.254", "0.0.0.1", (1 << 32) - 2),
            ("::/0", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1", u128::MAX),
        ] {
            let range = range(subnet, "", "").unwrap();
            assert_eq!((range.to_string().as_str(), range.size()), (text, size));
            assert_eq!(range.gateway().to_string(), gateway);
        }
        assert_eq!(range("::/0", "::", "").unwrap().size(), u128::MAX, "saturates");
    }

    #[test]
    fn bad_ranges_name_the_value_and_what_is_allowed() {
        for (subnet, start, end, text) in [
            (
                "10.0.0.0/31",
                "",
                "",
                "Network 10.0.0.0/31 too small to allocate from: the prefix length must be 0–30",
            ),
            ("2001:db8::/127", "", "", "the prefix length must be 0–126"),
            ("10.1.2.3/24", "", "", "the network address for a prefix length of 24 is 10.1.2.0"),
            (
                "10.1.2.0/24",
                "10.1.3.1",
                "",
                "rangeStart 10.1.3.1 not in network 10.1.2.0/24: it must be from 10.1.2.0",
            ),
            ("10.1.2.0/24", "", "10.1.3.1", "rangeEnd 10.1.3.1 not in network"),
            ("10.1.2.0/24", "::1", "", "rangeStart ::1 not in network"),
            ("10.1.2.0/24", "10.1.2.9", "10.1.2.5", "rangeStart 10.1.2.9 is after rangeEnd 10.1.2.5"),
        ] {
            let error = range(subnet, start, end).unwrap_err();
            assert_eq!(error.code.0, 7);
            assert!(error.to_string().contains(text), "{error}");
        }
        assert_eq!(Range::new(&RangeKeys::default()).unwrap_err().code.0, 7);
    }

    #[test]
    fn the_ends_given_may_be_any_address_of_the_subnet() {
        let range = range("10.1.2.0/24", "10.1.2.0", "10.1.2.255").unwrap();
        assert!(range.contains("10.1.2.255".parse().unwrap()) && range.size() == 256);
        assert!(!range.contains("::ffff".parse().unwrap()));
    }
}
