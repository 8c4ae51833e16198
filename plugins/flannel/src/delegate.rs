//! The plugin that does the work, and the configuration it does it by.

use std::ffi::OsStr;

use cni_skel::Delegates;
use cni_skel::delegate::Verb;
use cni_types::{AttachmentId, Cidr, Doing, Json, Network, PluginName, Result};

use crate::conf::Conf;
use crate::object::Object;
use crate::subnet::SubnetEnv;

/// A plugin with its configuration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delegate {
    pub(crate) plugin: PluginName,
    pub(crate) conf: Object,
}

impl Delegate {
    /// The delegate of the network's configuration on a node of this subnet, as the reference builds it.
    ///
    /// # Errors
    /// Those of [`Conf::read`] and [`SubnetEnv::read`].
    pub(crate) fn of(network: &Network) -> Result<Self> {
        let conf = Conf::read(network)?;
        let subnet = SubnetEnv::read(&conf.subnet_file)?;
        Ok(Self::build(network, conf, &subnet))
    }

    pub(crate) fn build(network: &Network, conf: Conf, subnet: &SubnetEnv) -> Self {
        let Conf { plugin, delegate: mut object, ipam, runtime_config, .. } = conf;
        object.set("name", text(&network.name));
        object.default("type", text(&plugin));
        object.default("ipMasq", Json::Bool(!subnet.masquerades));
        object.default("mtu", Json::Number(subnet.mtu.into()));
        if plugin.as_str() == "bridge" {
            object.default("isGateway", Json::Bool(true));
        }
        if let Some(runtime_config) = runtime_config {
            object.set("runtimeConfig", runtime_config.json());
        }
        if let Some(version) = network.json().get_str("cniVersion").filter(|v| !v.is_empty()) {
            object.set("cniVersion", text(version));
        }
        object.set("ipam", with_subnet(ipam, subnet));
        Self { plugin, conf: object }
    }

    /// The delegate of a saved configuration.
    ///
    /// # Errors
    /// Code 7 when its `type` is not the name of a plugin.
    pub(crate) fn saved(conf: Object) -> Result<Self> {
        let plugin = PluginName::new(conf.get_str("type").unwrap_or_default()).doing("its \"type\"")?;
        Ok(Self { plugin, conf })
    }

    /// The same with another value of a key.
    pub(crate) fn with(mut self, key: &str, value: &Json) -> Self {
        self.conf.set(key, value.clone());
        self
    }

    /// # Errors
    /// The delegate's own, unchanged; code 7 when it is not installed.
    pub(crate) fn run(&self, delegates: &Delegates, verb: Verb, network: &Network) -> Result<Vec<u8>> {
        delegates.run(verb, &self.plugin, &network.cni_path, self.conf.json().compact().as_bytes())
    }

    /// DEL of an attachment other than the one in the environment; its namespace is taken for gone.
    ///
    /// # Errors
    /// As [`Delegate::run`].
    pub(crate) fn del(&self, delegates: &Delegates, id: &AttachmentId, network: &Network) -> Result<()> {
        let env = [
            ("CNI_CONTAINERID", OsStr::new(id.container_id.as_str())),
            ("CNI_IFNAME", OsStr::new(id.ifname.as_str())),
            ("CNI_NETNS", OsStr::new("")),
        ];
        let conf = self.conf.json().compact();
        delegates.run_with_env(Verb::Del, &self.plugin, &network.cni_path, conf.as_bytes(), &env).map(drop)
    }
}

/// The IPAM keys with the node's subnets as ranges, and routes to the cluster's networks behind those that are there.
fn with_subnet(mut ipam: Object, subnet: &SubnetEnv) -> Json {
    let object = |key: &str, cidr: &Cidr| Json::Object(vec![(key.to_owned(), text(cidr))]);
    ipam.default("type", text("host-local"));
    let ranges = subnet.subnets.iter().map(|cidr| Json::Array(vec![object("subnet", cidr)]));
    let mut routes = match ipam.get("routes") {
        Some(Json::Array(routes)) => routes.clone(),
        _ => Vec::new(),
    };
    routes.extend(subnet.networks.iter().map(|cidr| object("dst", cidr)));
    ipam.set("ranges", Json::Array(ranges.collect()));
    ipam.set("routes", Json::Array(routes));
    ipam.json()
}

fn text(value: impl ToString) -> Json {
    Json::String(value.to_string())
}
