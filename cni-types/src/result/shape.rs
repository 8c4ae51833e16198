//! The shapes of the result per version family, both ways (contract: conversion rules).

use serde::{Deserialize, Serialize};

use super::{CniResult, Dns, Interface, IpConfig, Route};
use crate::addr::{Cidr, optional_ip};
use crate::error::{Code, Error, Result};
use crate::json::Json;
use crate::name::excerpt;
use crate::version::{Family, SpecVersion};

/// 0.3.0 and later: lists of interfaces, addresses and routes.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lists {
    cni_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Interface>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<VersionedIp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Dns>,
}

/// An [`IpConfig`] with the `version` key of 0.3.0–0.4.0.
#[derive(Serialize, Deserialize)]
struct VersionedIp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interface: Option<i64>,
    address: Cidr,
    #[serde(default, with = "optional_ip", skip_serializing_if = "Option::is_none")]
    gateway: Option<std::net::IpAddr>,
}

/// 0.1.0 and 0.2.0: at most one address per family.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Legacy {
    cni_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip4: Option<LegacyIp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip6: Option<LegacyIp>,
    dns: Dns,
}

#[derive(Serialize, Deserialize)]
struct LegacyIp {
    ip: Cidr,
    #[serde(default, with = "optional_ip", skip_serializing_if = "Option::is_none")]
    gateway: Option<std::net::IpAddr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
}

impl CniResult {
    /// The result as a JSON document of `version`: 4 spaces of indent, no final newline, as the reference prints it.
    ///
    /// # Errors
    /// Under 0.1.0 and 0.2.0, a result without addresses cannot be expressed.
    pub fn to_json(&self, version: SpecVersion) -> Result<String> {
        match version.family() {
            Family::Legacy => print(&self.to_legacy(version)?),
            Family::Lists | Family::Current => print(&self.to_lists(version)),
        }
    }

    /// Reads a result: a prevResult, or what a delegate printed. Without a `cniVersion` of its own it is taken to be
    /// of `config_version`; `null` is an empty result.
    ///
    /// # Errors
    /// Code 6 when it does not decode; code 1 when its version is of another family than the configuration's.
    pub fn from_json(json: &Json, config_version: SpecVersion) -> Result<Self> {
        let own = json.get_str("cniVersion").unwrap_or_default();
        let version = if own.is_empty() { Some(config_version) } else { SpecVersion::find(own) };
        if version.is_none_or(|v| v.family() != config_version.family()) {
            return Err(Error::new(
                Code::INCOMPATIBLE_VERSION,
                format!(
                    "result type supports {:?} but unmarshalled CNIVersion is {}",
                    config_version.family_members(),
                    excerpt(own)
                ),
            ));
        }
        match config_version.family() {
            Family::Legacy => Ok(json.decode::<Legacy>()?.into()),
            Family::Lists | Family::Current => Ok(json.decode::<Lists>()?.into()),
        }
    }

    fn to_lists(&self, version: SpecVersion) -> Lists {
        let current = version.family() == Family::Current;
        let interfaces = self.interfaces.iter().map(|i| if current { i.clone() } else { i.before_1_0() });
        let ips = self.ips.iter().map(|ip| VersionedIp {
            version: (!current).then(|| if ip.address.is_ipv4() { "4".into() } else { "6".into() }),
            interface: ip.interface,
            address: ip.address,
            gateway: ip.gateway,
        });
        Lists {
            cni_version: version.to_string(),
            interfaces: interfaces.collect(),
            ips: ips.collect(),
            routes: self.routes.clone(),
            dns: (!current || !self.dns.is_empty()).then(|| self.dns.clone()),
        }
    }

    fn to_legacy(&self, version: SpecVersion) -> Result<Legacy> {
        let block = |v4: bool| {
            let ip = self.ips.iter().find(|ip| ip.address.is_ipv4() == v4)?;
            let routes = self.routes.iter().filter(|r| r.dst.is_ipv4() == v4);
            let routes = routes.map(|r| Route::new(r.dst, r.gw)).collect();
            Some(LegacyIp { ip: ip.address, gateway: ip.gateway, routes })
        };
        let (ip4, ip6) = (block(true), block(false));
        if ip4.is_none() && ip6.is_none() {
            return Err(Error::new(Code::UNSUPPORTED_FIELD, "cannot convert: no valid IP addresses")
                .because(format!(
                    "cniVersion {version} can only express results with addresses; use 0.3.0 or later"
                )));
        }
        Ok(Legacy { cni_version: version.to_string(), ip4, ip6, dns: self.dns.clone() })
    }
}

impl Interface {
    /// Without the keys that 1.0.0 and 1.1.0 added.
    fn before_1_0(&self) -> Self {
        Self {
            name: self.name.clone(),
            mac: self.mac.clone(),
            sandbox: self.sandbox.clone(),
            ..Self::default()
        }
    }
}

impl From<Lists> for CniResult {
    fn from(lists: Lists) -> Self {
        let ips = lists.ips.into_iter();
        Self {
            interfaces: lists.interfaces,
            ips: ips
                .map(|ip| IpConfig { interface: ip.interface, address: ip.address, gateway: ip.gateway })
                .collect(),
            routes: lists.routes,
            dns: lists.dns.unwrap_or_default(),
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

fn print<T: Serialize>(value: &T) -> Result<String> {
    let mut out = Vec::with_capacity(1024);
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, indent))
        .map_err(|e| Error::new(Code::INTERNAL, "cannot write the result as JSON").because(e))?;
    String::from_utf8(out).map_err(|e| Error::new(Code::INTERNAL, "the result is not UTF-8").because(e))
}
