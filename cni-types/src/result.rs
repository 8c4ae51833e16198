//! The network result: one type inside, one shape per version family on the wire (spec 1.1.0, section 5).

mod print;
mod shape;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::addr::{Cidr, OptionalIp, optional_ip};
use crate::key::{Form, Formed, Key};
use crate::name::IfName;

/// What ADD made. Versions differ only in how this is written: see [`CniResult::to_json`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CniResult {
    /// The interfaces, host side and container side, in the plugin's documented order.
    pub interfaces: Vec<Interface>,
    /// The addresses.
    pub ips: Vec<IpConfig>,
    /// The routes.
    pub routes: Vec<Route>,
    /// Resolver settings for the container; nothing installs them but the runtime.
    pub dns: Dns,
}

impl CniResult {
    /// The addresses of the interface named `ifname`: those whose entry has the name, and those of which the result
    /// does not say where they are.
    pub fn ips_of(&self, ifname: &IfName) -> impl Iterator<Item = &IpConfig> {
        let entry = |ip: &IpConfig| self.interfaces.get(usize::try_from(ip.interface?).ok()?);
        self.ips.iter().filter(move |ip| entry(ip).is_none_or(|entry| entry.name == ifname.as_str()))
    }
}

/// One interface of the result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Interface {
    /// The interface's name.
    pub name: String,
    /// The hardware address, as text, since a chained plugin passes it on as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac: String,
    /// The MTU in bytes (spec 1.1.0); 0 when unknown.
    #[serde(skip_serializing_if = "is_zero")]
    pub mtu: u32,
    /// The container's namespace path; empty for an interface on the host.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sandbox: String,
    /// A vhost-user socket (spec 1.1.0).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub socket_path: String,
    /// A PCI address (spec 1.1.0).
    #[serde(rename = "pciID", skip_serializing_if = "String::is_empty")]
    pub pci_id: String,
}

/// One address of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpConfig {
    /// Index into [`CniResult::interfaces`]; signed since prevResult may hold anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<i64>,
    /// The address with its prefix length.
    pub address: Cidr,
    /// The gateway in that network.
    #[serde(default, with = "optional_ip", skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
}

/// One route of the result or of an IPAM configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination network.
    pub dst: Cidr,
    /// The next hop; without one, the address's gateway is used.
    #[serde(default, with = "optional_ip", skip_serializing_if = "Option::is_none")]
    pub gw: Option<IpAddr>,
    /// Path MTU in bytes; 0 is unset.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mtu: u32,
    /// TCP MSS in bytes; 0 is unset.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub advmss: u32,
    /// Metric; 0 is unset.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u32,
    /// Routing table; an explicit 0 is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Scope (`rtm_scope`, `linux/rtnetlink.h`); an explicit 0 (global) is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<u8>,
}

/// Their names are those of serde's fields above: a test compares them.
impl Formed for Route {
    const FORM: Form = Form::Object(&[
        Key::of::<Cidr>("dst", "the destination network").required(),
        Key::of::<OptionalIp>("gw", "the next hop").otherwise("the address's gateway"),
        Key::of::<u32>("mtu", "path MTU in bytes").otherwise("0: unset"),
        Key::of::<u32>("advmss", "TCP MSS in bytes").otherwise("0: unset"),
        Key::of::<u32>("priority", "metric").otherwise("0: unset"),
        Key::of::<Option<u32>>("table", "routing table").otherwise("the main one"),
        Key::of::<Option<u8>>("scope", "scope: 0 global, 253 link, 254 host").otherwise("by the gateway"),
    ]);
}

impl Route {
    /// A route to `dst` through `gw`, nothing else set.
    pub fn new(dst: Cidr, gw: Option<IpAddr>) -> Self {
        Self { dst, gw, mtu: 0, advmss: 0, priority: 0, table: None, scope: None }
    }
}

crate::keys! {
    /// Resolver settings.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Dns {
        /// addresses of name servers, in order of preference
        #[serde(skip_serializing_if = "Vec::is_empty")]
        "nameservers" nameservers: Vec<String>;
        /// the local domain
        #[serde(skip_serializing_if = "String::is_empty")]
        "domain" domain: String;
        /// search domains
        #[serde(skip_serializing_if = "Vec::is_empty")]
        "search" search: Vec<String>;
        /// resolv.conf options
        #[serde(skip_serializing_if = "Vec::is_empty")]
        "options" options: Vec<String>;
    }
}

impl Key {
    /// The resolver settings of a plugin that has them from IPAM.
    pub const DNS: Self = Self::of::<Dns>("dns", "replaces it if any list is given or the domain is set")
        .otherwise("what IPAM says");
}

impl Dns {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde's `skip_serializing_if` calls")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}
