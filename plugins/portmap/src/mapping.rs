//! Port mappings, as the runtime hands them over.

use std::net::IpAddr;

use cni_types::{Error, Family, Result, Text, Whole, Words, excerpt, keys, parse_ip, sort_by, words};

keys! {
    /// An entry of `runtimeConfig.portMappings`, unread.
    pub(crate) struct MappingKeys {
        /// the host's port
        "hostPort" host_port: Port, required();
        /// the container's port
        "containerPort" container_port: Port, required();
        /// the transport protocol
        "protocol" protocol: Text<Protocol>, required();
        /// the host's address; `0.0.0.0` and `::` are all of that family
        "hostIP" host_ip: Text<IpAddr>, otherwise("all");
    }
}

type Port = Whole<1, 65_535>;

/// The transport protocol of a mapping, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Protocol {
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}

words!(Protocol ANY_CASE { Tcp = "tcp", Udp = "udp", Sctp = "sctp" });

/// Ports of the host, `first` to `last`, of one protocol: of one address, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ports {
    pub(crate) host_ip: Option<IpAddr>,
    pub(crate) protocol: u8,
    pub(crate) first: u16,
    pub(crate) last: u16,
}

/// Which of the host's addresses a mapping is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostIp {
    Any,
    /// All of one family: `0.0.0.0` or `::`.
    AnyOf(Family),
    One(IpAddr),
}

/// One port of the host that leads to one of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) protocol: Protocol,
    pub(crate) host_port: u16,
    pub(crate) container_port: u16,
    host_ip: HostIp,
}

impl Mapping {
    /// Whether it is for packets of this family.
    pub(crate) fn is_for(&self, family: Family) -> bool {
        match self.host_ip {
            HostIp::Any => true,
            HostIp::AnyOf(only) => only == family,
            HostIp::One(ip) => Family::of(ip) == family,
        }
    }

    /// The one address of the host it is for; `None` means all of them.
    pub(crate) fn host_ip(&self) -> Option<IpAddr> {
        if let HostIp::One(ip) = self.host_ip { Some(ip) } else { None }
    }

    /// Reads all entries. An exact repetition counts once.
    ///
    /// # Errors
    /// Code 7 naming the entry, its key and what is allowed.
    pub(crate) fn read_all(entries: &[MappingKeys]) -> Result<Vec<Self>> {
        let mut read = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let of_entry = |e: Error| e.doing(format_args!("runtimeConfig.portMappings[{at}]"));
            read.push(Self::read(entry).map_err(of_entry)?);
        }
        // Side by side if they are for the same port, the earlier one first.
        let mut sorted: Vec<(Ports, usize)> =
            (0..).zip(&read).map(|(at, mapping)| (mapping.key(), at)).collect();
        sort_by(&mut sorted, |a, b| a < b);
        let mut repeated = vec![false; read.len()];
        for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let (first, second, at) = (read[pair[0].1], read[pair[1].1], pair[1].1);
            if first.container_port != second.container_port {
                return Err(Error::config(format!(
                    "runtimeConfig.portMappings[{at}]: hostPort {}/{} leads to containerPort {} already",
                    second.host_port,
                    second.protocol.word(),
                    first.container_port
                )));
            }
            repeated[at] = true;
        }
        let kept = read.into_iter().zip(repeated).filter(|(_, repeated)| !repeated);
        Ok(kept.map(|(mapping, _)| mapping).collect())
    }

    /// What must not be mapped twice.
    fn key(&self) -> Ports {
        let host_ip = match self.host_ip {
            HostIp::Any => None,
            HostIp::AnyOf(family) => Some(family.unspecified()),
            HostIp::One(ip) => Some(ip),
        };
        Ports { host_ip, protocol: self.protocol as u8, first: self.host_port, last: self.host_port }
    }

    fn read(entry: &MappingKeys) -> Result<Self> {
        let port = |key: &str, what: &str, value: Port| {
            value.within::<u16>().ok_or_else(|| {
                Error::config(format!("Invalid {what} port number: {}: {key} must be 1–65535", value.0))
            })
        };
        let container_port = port("containerPort", "container", entry.container_port)?;
        let host_port = port("hostPort", "host", entry.host_port)?;
        let protocol = entry.protocol.read("protocol")?;
        let host_ip = match entry.host_ip.as_str() {
            "" => HostIp::Any,
            text => match parse_ip(text) {
                Some(ip) if ip.is_unspecified() => HostIp::AnyOf(Family::of(ip)),
                Some(ip) => HostIp::One(ip),
                None => {
                    return Err(Error::config(format!(
                        "invalid hostIP {}: it must be an IPv4 or IPv6 address without a prefix length",
                        excerpt(text)
                    )));
                }
            },
        };
        Ok(Self { protocol, host_port, container_port, host_ip })
    }
}
