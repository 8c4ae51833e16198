//! A list of plugins run as a runtime runs it.

use serde_json::Value;

use crate::{Call, Conf, Container, Host};

/// A network configuration list.
#[derive(Debug)]
pub struct Chain {
    plugins: Vec<(String, Conf)>,
}

impl Chain {
    /// Reads a `.conflist`: every plugin's object gets the list's `name` and `cniVersion`.
    ///
    /// # Panics
    /// When the list is not of that form.
    pub fn new(list: &Value) -> Self {
        let plugins = list["plugins"].as_array().expect("plugins").iter().map(|plugin| {
            let conf = Conf::new(plugin.clone());
            let conf = conf.set("name", list["name"].clone()).set("cniVersion", list["cniVersion"].clone());
            (plugin["type"].as_str().expect("type").to_owned(), conf)
        });
        Self { plugins: plugins.collect() }
    }

    /// Gives `runtimeConfig.<key>` to every plugin that declares the capability.
    #[must_use]
    pub fn runtime(mut self, key: &str, value: &Value) -> Self {
        for (_, conf) in &mut self.plugins {
            *conf = conf.clone().runtime(key, value);
        }
        self
    }

    /// The plugins' names and configurations, in order.
    pub fn plugins(&self) -> &[(String, Conf)] {
        &self.plugins
    }

    /// The plugins' names, in order.
    pub fn types(&self) -> Vec<&str> {
        self.plugins.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// ADD in order, each plugin with the result of the one before; returns the last result.
    pub fn add(&self, host: &Host, container: &Container, ifname: &str) -> Value {
        let mut prev: Option<Value> = None;
        for (name, conf) in &self.plugins {
            let conf = prev.iter().fold(conf.clone(), Conf::prev);
            prev = Some(host.plugin(name).add(&conf, container, ifname).result());
        }
        prev.expect("at least one plugin")
    }

    /// CHECK in order, with the final result.
    pub fn check(&self, host: &Host, container: &Container, ifname: &str, result: &Value) {
        for (name, conf) in &self.plugins {
            host.plugin(name).check(&conf.clone().prev(result), container, ifname).done();
        }
    }

    /// DEL in reverse order, with the final result.
    pub fn del(&self, host: &Host, container: &Container, ifname: &str, result: &Value) {
        for (name, conf) in self.plugins.iter().rev() {
            let call: Call = host.plugin(name);
            call.del(&conf.clone().prev(result), container, ifname).done();
        }
    }
}
