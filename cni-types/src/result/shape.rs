//! Reading a result in the shape of its version family (contract: conversion rules).

use std::net::IpAddr;

use serde::Deserialize;

use super::{CniResult, Dns, Interface, IpConfig, Route};
use crate::addr::{Cidr, optional_ip};
use crate::error::{Code, Error, Result};
use crate::json::Json;
use crate::name::excerpt;
use crate::version::{self, Family, SpecVersion};

/// 0.3.0 and later: lists of interfaces, addresses and routes. The `version` key of an address says what the address
/// itself says better, so it is not read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Lists {
    interfaces: Vec<Interface>,
    ips: Vec<IpConfig>,
    routes: Vec<Route>,
    dns: Dns,
}

/// 0.1.0 and 0.2.0: at most one address per family.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Legacy {
    ip4: Option<LegacyIp>,
    ip6: Option<LegacyIp>,
    dns: Dns,
}

#[derive(Deserialize)]
struct LegacyIp {
    ip: Cidr,
    #[serde(default, with = "optional_ip")]
    gateway: Option<IpAddr>,
    #[serde(default)]
    routes: Vec<Route>,
}

impl CniResult {
    /// Reads a result: a prevResult, or what a delegate printed. Without a `cniVersion` of its own it is taken to be
    /// of `config_version`; `null` is an empty result.
    ///
    /// # Errors
    /// Code 6 when it does not decode; code 1 when its version is of another family than the configuration's.
    pub fn from_json(json: &Json, config_version: SpecVersion) -> Result<Self> {
        let own = version::declared(json)?;
        let version = if own.is_empty() { Some(config_version) } else { SpecVersion::find(&own) };
        if version.is_none_or(|v| v.family() != config_version.family()) {
            return Err(Error::new(
                Code::INCOMPATIBLE_VERSION,
                format!(
                    "result type supports {:?} but unmarshalled CNIVersion is {}",
                    config_version.family_members(),
                    excerpt(&own)
                ),
            ));
        }
        match config_version.family() {
            Family::Legacy => Ok(json.decode::<Legacy>()?.into()),
            Family::Lists | Family::Current => {
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
            result.routes.extend(block.routes);
        }
        result
    }
}
