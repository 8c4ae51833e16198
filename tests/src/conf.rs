//! Network configurations.

use serde_json::{Map, Value, json};

/// A network configuration as one plugin gets it.
#[derive(Debug, Clone)]
pub struct Conf(Map<String, Value>);

impl Conf {
    /// Any object.
    ///
    /// # Panics
    /// When it is none.
    pub fn new(value: Value) -> Self {
        let Value::Object(map) = value else { panic!("a configuration is an object: {value}") };
        Self(map)
    }

    /// Plugin `bridge` on bridge `br0` with host-local addresses from 10.22.0.0/24, spec version 1.0.0.
    pub fn bridge() -> Self {
        Self::new(json!({
            "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0",
            "ipam": host_local(&["10.22.0.0/24"]),
        }))
    }

    /// `bridge` with two address families: 10.22.0.0/24 and fd00:22::/64.
    pub fn dual_stack_bridge() -> Self {
        Self::bridge().ranges(&["10.22.0.0/24", "fd00:22::/64"])
    }

    /// `bridge` without IPAM.
    pub fn layer2_bridge() -> Self {
        Self::bridge().remove("ipam")
    }

    /// Plugin `ptp` with host-local addresses from 10.33.0.0/24 and fd00:33::/64, spec version 1.0.0.
    pub fn ptp() -> Self {
        Self::new(json!({
            "cniVersion": "1.0.0", "name": "net", "type": "ptp",
            "ipam": host_local(&["10.33.0.0/24", "fd00:33::/64"]),
        }))
    }

    /// Plugin `loopback`, spec version 1.0.0.
    pub fn loopback() -> Self {
        Self::new(json!({ "cniVersion": "1.0.0", "name": "lo", "type": "loopback" }))
    }

    /// Sets a key.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a key of the `ipam` object.
    #[must_use]
    pub fn ipam(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.entry("ipam").or_insert_with(|| json!({}))[key] = value.into();
        self
    }

    /// What a runtime does: sets `runtimeConfig.<key>` if `capabilities.<key>` is true.
    #[must_use]
    pub fn runtime(mut self, key: &str, value: &Value) -> Self {
        if self.0.get("capabilities").is_some_and(|c| c[key] == true) {
            self.0.entry("runtimeConfig").or_insert_with(|| json!({}))[key] = value.clone();
        }
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn remove(mut self, key: &str) -> Self {
        self.0.remove(key);
        self
    }

    /// Addresses from host-local, one range set per subnet.
    #[must_use]
    pub fn ranges(self, subnets: &[&str]) -> Self {
        self.set("ipam", host_local(subnets))
    }

    /// Another spec version.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.set("cniVersion", version)
    }

    /// With the result of an earlier ADD.
    #[must_use]
    pub fn prev(self, result: &Value) -> Self {
        self.set("prevResult", result.clone())
    }

    /// The JSON text.
    pub fn text(&self) -> String {
        serde_json::to_string(&self.0).unwrap()
    }
}

fn host_local(subnets: &[&str]) -> Value {
    let ranges: Vec<_> = subnets.iter().map(|subnet| json!([{ "subnet": subnet }])).collect();
    json!({ "type": "host-local", "ranges": ranges })
}
