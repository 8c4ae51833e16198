//! Writing a result in the form of its version (contract: conversion rules). Keys come in the order the
//! reference prints them in: that of its structs before 1.0.0, the alphabet since.

use std::fmt::Display;

use super::{CniResult, Dns, Interface, IpConfig, Route};
use crate::error::{Code, Error, Result};
use crate::family::Family;
use crate::json::Json;
use crate::version::{ResultForm, SpecVersion};

impl CniResult {
    /// The result as a JSON document of `version`: 4 spaces of indent, no final newline, as the reference prints it.
    ///
    /// # Errors
    /// Code 2 under 0.1.0 and 0.2.0 for a result without addresses, which they cannot express.
    pub fn to_json(&self, version: SpecVersion) -> Result<String> {
        let mut members = Members::default();
        members.text("cniVersion", version);
        match version.form() {
            ResultForm::Legacy => {
                self.legacy(&mut members).map_err(|e| {
                    e.because(format!(
                        "cniVersion {version} can only express results with addresses; use 0.3.0 or later"
                    ))
                })?;
                members.put("dns", dns(&self.dns));
            }
            ResultForm::Lists => {
                self.lists(&mut members, version);
                members.put("dns", dns(&self.dns));
            }
            ResultForm::Current => {
                self.lists(&mut members, version);
                if !self.dns.is_empty() {
                    members.put("dns", dns(&self.dns));
                }
            }
        }
        let mut json = members.object();
        if version.form() == ResultForm::Current {
            json.sort_keys();
        }
        Ok(json.pretty())
    }

    fn lists(&self, members: &mut Members, version: SpecVersion) {
        members.list("interfaces", self.interfaces.iter().map(|i| interface(i, version)));
        members.list("ips", self.ips.iter().map(|i| ip(i, version < SpecVersion::V1_0_0)));
        members.list("routes", self.routes.iter().map(route));
    }

    fn legacy(&self, members: &mut Members) -> Result<()> {
        for family in Family::ALL {
            let Some(ip) = self.ips.iter().find(|ip| ip.address.family() == family) else { continue };
            let mut block = Members::default();
            block.text("ip", ip.address);
            block.optional("gateway", ip.gateway);
            let routes = self.routes.iter().filter(|r| r.dst.family() == family);
            block.list("routes", routes.map(|r| route(&Route::new(r.dst, r.gw))));
            members.put(&format!("ip{}", family.version()), block.object());
        }
        if self.ips.is_empty() {
            return Err(Error::new(Code::UNSUPPORTED_FIELD, "cannot convert: no valid IP addresses"));
        }
        Ok(())
    }
}

/// 1.1.0 brought three keys. An entry that says nothing was `null` in the result that is passed on, and keeps its
/// place: addresses count them.
fn interface(interface: &Interface, version: SpecVersion) -> Json {
    if *interface == Interface::default() {
        return Json::Null;
    }
    let with_1_1 = version >= SpecVersion::V1_1_0;
    let mut members = Members::default();
    members.text("name", &interface.name);
    members.non_empty("mac", &interface.mac);
    if with_1_1 {
        members.non_zero("mtu", interface.mtu);
    }
    members.non_empty("sandbox", &interface.sandbox);
    if with_1_1 {
        members.non_empty("socketPath", &interface.socket_path);
        members.non_empty("pciID", &interface.pci_id);
    }
    members.object()
}

fn ip(ip: &IpConfig, with_version: bool) -> Json {
    let mut members = Members::default();
    if with_version {
        members.text("version", ip.address.family().version());
    }
    if let Some(index) = ip.interface {
        members.put("interface", Json::Number(index.into()));
    }
    members.text("address", ip.address);
    members.optional("gateway", ip.gateway);
    members.object()
}

fn route(route: &Route) -> Json {
    let mut members = Members::default();
    members.text("dst", route.dst);
    members.optional("gw", route.gw);
    members.non_zero("mtu", route.mtu);
    members.non_zero("advmss", route.advmss);
    members.non_zero("priority", route.priority);
    if let Some(table) = route.table {
        members.put("table", Json::Number(table.into()));
    }
    if let Some(scope) = route.scope {
        members.put("scope", Json::Number(scope.into()));
    }
    members.object()
}

fn dns(dns: &Dns) -> Json {
    let strings = |list: &[String]| list.iter().cloned().map(Json::String).collect::<Vec<_>>();
    let mut members = Members::default();
    members.list("nameservers", strings(&dns.nameservers).into_iter());
    members.non_empty("domain", &dns.domain);
    members.list("search", strings(&dns.search).into_iter());
    members.list("options", strings(&dns.options).into_iter());
    members.object()
}

/// The members of one JSON object in the making.
#[derive(Default)]
struct Members(Vec<(String, Json)>);

impl Members {
    fn put(&mut self, key: &str, value: Json) {
        self.0.push((key.to_owned(), value));
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.put(key, Json::String(value.to_string()));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn non_empty(&mut self, key: &str, value: &str) {
        self.optional(key, (!value.is_empty()).then_some(value));
    }

    fn non_zero(&mut self, key: &str, value: u32) {
        if value != 0 {
            self.put(key, Json::Number(value.into()));
        }
    }

    fn list(&mut self, key: &str, values: impl Iterator<Item = Json>) {
        let values: Vec<_> = values.collect();
        if !values.is_empty() {
            self.put(key, Json::Array(values));
        }
    }

    fn object(self) -> Json {
        Json::Object(self.0)
    }
}
