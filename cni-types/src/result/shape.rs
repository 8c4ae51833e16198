//! Reading a result in the shape of its version family (contract: conversion rules).

use std::net::IpAddr;

use serde::Deserialize;

use super::{CniResult, Dns, Interface, IpConfig, Route};
use crate::addr::{Cidr, optional_ip};
use crate::error::Result;
use crate::fields;
use crate::json::Json;
use crate::version::{ResultForm, SpecVersion};

/// 0.3.0 and later: lists of interfaces, addresses and routes. The `version` key of an address says what the address
/// itself says better, so it is not read.
#[derive(Default)]
struct Lists {
    interfaces: Vec<Interface>,
    ips: Vec<IpConfig>,
    routes: Vec<Route>,
    dns: Dns,
}

fields!(Lists { "interfaces" interfaces, "ips" ips, "routes" routes, "dns" dns });

/// 0.1.0 and 0.2.0: at most one address per family.
#[derive(Default)]
struct Legacy {
    ip4: Option<LegacyIp>,
    ip6: Option<LegacyIp>,
    dns: Dns,
}

fields!(Legacy { "ip4" ip4, "ip6" ip6, "dns" dns });

#[derive(Deserialize)]
struct LegacyIp {
    ip: Cidr,
    #[serde(default, with = "optional_ip")]
    gateway: Option<IpAddr>,
    #[serde(default)]
    routes: Vec<Route>,
}

impl CniResult {
    /// Reads a result in the shape of its own `cniVersion`, whatever that is; without one it is taken to be of
    /// `config_version`. `null` is an empty result. A prevResult has to be of the configuration's family, too:
    /// [`Network::prev_result`](crate::Network::prev_result).
    ///
    /// # Errors
    /// Code 6 when it does not decode; code 1 when its version is none of the specification's.
    pub fn from_json(json: &Json, config_version: SpecVersion) -> Result<Self> {
        match SpecVersion::of(json)?.unwrap_or(config_version).form() {
            ResultForm::Legacy => Ok(json.decode::<Legacy>()?.into()),
            ResultForm::Lists | ResultForm::Current => {
                let Lists { interfaces, ips, routes, dns } = json.decode()?;
                Ok(Self { interfaces, ips, routes, dns })
            }
        }
    }
}

impl From<Legacy> for CniResult {
    fn from(legacy: Legacy) -> Self {
        let mut result = Self { dns: legacy.dns, ..Self::default() };
        for block in [legacy.ip4, legacy.ip6].into_iter().flatten() {
            result.ips.push(IpConfig { interface: None, address: block.ip, gateway: block.gateway });
            result.routes.extend(block.routes.into_iter().map(|route| Route::new(route.dst, route.gw)));
        }
        result
    }
}
