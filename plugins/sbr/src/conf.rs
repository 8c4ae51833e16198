//! The keys of `sbr`, read and validated.

use std::net::IpAddr;

use cni_net::tables::Table;
use cni_types::{Error, Family, IpConfig, Network, OptionalIp, PluginKeys, Result, keys};

keys! {
    struct Keys {
        /// a routing table that somebody else has filled, for example IPAM by `table` in its `routes`: there are only
        /// rules then, and the other keys count for nothing
        "table" table: Option<Table>, otherwise("a free one for each address");
        /// at most one IPv4 and one IPv6 gateway, for the default routes of the tables
        "gateways" gateways: Vec<OptionalIp>, otherwise("those of prevResult");
        /// true keeps the routes to the addresses' networks in the main table, each with its address as the source, and
        /// routes on the link
        "addSourceHints" add_source_hints: bool;
    }
}

/// What `sbr` can be told.
pub const KEYS: PluginKeys = PluginKeys { plugin: "sbr", keys: &[Keys::KEYS], args: &[] };

/// A valid configuration.
#[derive(Debug, Default)]
pub(crate) struct Conf {
    /// The table that somebody else has filled, for all addresses.
    pub(crate) table: Option<u32>,
    /// IPv4 and IPv6: the gateway in place of the one prevResult has.
    gateways: [Option<IpAddr>; 2],
    /// Keep the routes to the addresses' networks in the main table, each with its address as the source.
    pub(crate) source_hints: bool,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        Ok(Self {
            table: keys.table.map(Table::number).transpose()?,
            gateways: one_per_family(keys.gateways.into_iter().filter_map(|gateway| gateway.0))?,
            source_hints: keys.add_source_hints,
        })
    }

    /// The configured gateway of this family.
    pub(crate) fn gateway(&self, family: Family) -> Option<IpAddr> {
        self.gateways[family]
    }

    /// The gateway of this address.
    ///
    /// # Errors
    /// Code 7 when prevResult has one of another family.
    pub(crate) fn gateway_of(&self, ip: &IpConfig) -> Result<Option<IpAddr>> {
        let family = ip.address.family();
        match self.gateway(family).or(ip.gateway) {
            Some(gateway) if Family::of(gateway) != family => Err(Error::config(format!(
                "prevResult has gateway {gateway} for {}, of the other address family",
                ip.address
            ))
            .because("the IPAM plugin gave it; the key \"gateways\" takes its place")),
            gateway => Ok(gateway),
        }
    }
}

fn one_per_family(ips: impl Iterator<Item = IpAddr>) -> Result<[Option<IpAddr>; 2]> {
    let mut gateways = [None; 2];
    for ip in ips {
        if let Some(first) = gateways[Family::of(ip)].replace(ip) {
            return Err(Error::config(format!(
                "gateways has {first} and {ip}: there can be one IPv4 and one IPv6 gateway"
            ))
            .because("leave one of the two out; further routes belong into the IPAM plugin's \"routes\""));
        }
    }
    Ok(gateways)
}
