//! What a test is run for: a plugin with a configuration on a host that is ready for it.

use crate::{Call, Conf, Container, Host, Outcome};

/// One row of a table of tests.
#[derive(Debug, Clone)]
pub struct Case {
    /// The plugin.
    pub plugin: &'static str,
    /// A configuration it serves.
    pub conf: Conf,
    prepare: fn(&Host),
}

impl Case {
    /// On a host that needs nothing.
    pub fn new(plugin: &'static str, conf: Conf) -> Self {
        Self { plugin, conf, prepare: |_| {} }
    }

    /// On a host that `prepare` makes ready: with a link that the plugin needs, for example.
    #[must_use]
    pub fn on(mut self, prepare: fn(&Host)) -> Self {
        self.prepare = prepare;
        self
    }

    /// The same with another configuration.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(Conf) -> Conf) -> Self {
        Self { conf: change(self.conf.clone()), ..self.clone() }
    }

    /// A fresh host that is ready.
    pub fn host(&self) -> Host {
        let host = Host::new();
        self.prepare(&host);
        host
    }

    /// Makes a host ready.
    pub fn prepare(&self, host: &Host) {
        (self.prepare)(host);
    }

    /// A call of the plugin.
    pub fn call(&self, host: &Host) -> Call {
        host.plugin(self.plugin)
    }

    /// ADD of the container's `eth0`.
    pub fn add(&self, host: &Host, pod: &Container) -> Outcome {
        self.call(host).add(&self.conf, pod, "eth0")
    }

    /// DEL of it.
    pub fn del(&self, host: &Host, pod: &Container) -> Outcome {
        self.call(host).del(&self.conf, pod, "eth0")
    }
}
