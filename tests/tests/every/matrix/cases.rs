//! How each plugin is tried: a host that is ready, a configuration, and how to disturb what is shared.

use cni_part::PartPlugin;
use cni_plugins::PART_PLUGINS;
use cni_tests::{Conf, Container, Host, Place};
use serde_json::json;

/// The parts that another plugin makes, and what takes them away.
pub(crate) const DELEGATES: [(&str, &str); 2] =
    [("addresses of IPAM", "host-local"), ("delegate", "flannel")];

/// What not every kernel has.
const IN_THE_VM: [&str; 4] = ["dummy", "ipvlan", "vlan", "vrf"];

/// Those that this machine's kernel serves.
pub(crate) fn here() -> impl Iterator<Item = &'static PartPlugin> {
    PART_PLUGINS.into_iter().filter(|plugin| !IN_THE_VM.contains(&plugin.name))
}

/// The others.
pub(crate) fn in_the_vm() -> impl Iterator<Item = &'static PartPlugin> {
    PART_PLUGINS.into_iter().filter(|plugin| IN_THE_VM.contains(&plugin.name))
}

/// A configuration of a plugin.
pub(crate) struct Try {
    pub(crate) conf: Conf,
    is_chained: bool,
    prepare: fn(&Host),
}

impl Try {
    pub(crate) fn host(&self) -> Host {
        let host = Host::new();
        (self.prepare)(&host);
        host
    }

    /// The configuration as ADD gets it, behind a bridge where the plugin works in a chain.
    pub(crate) fn before(&self, host: &Host, pod: &Container) -> Conf {
        if !self.is_chained {
            return self.conf.clone();
        }
        let result = host.plugin("bridge").add(&bridge(), pod, "eth0").result();
        self.conf.clone().prev(&result)
    }

    pub(crate) fn after(&self, host: &Host, pod: &Container) {
        if self.is_chained {
            host.plugin("bridge").del(&bridge(), pod, "eth0").done();
        }
    }
}

fn bridge() -> Conf {
    Conf::dual_stack_bridge().version("1.1.0").set("isDefaultGateway", true)
}

fn first(conf: Conf) -> Try {
    Try { conf: conf.version("1.1.0"), is_chained: false, prepare: |_| {} }
}

fn chained(kind: &str, keys: serde_json::Value) -> Try {
    let mut conf = json!({ "cniVersion": "1.1.0", "name": "net", "type": kind });
    conf.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    Try { conf: Conf::new(conf), is_chained: true, prepare: |_| {} }
}

/// On a link `up0` of the host.
fn on_master(kind: &str, keys: serde_json::Value) -> Try {
    let base = Conf::ptp().set("type", kind).set("master", "up0");
    let conf = keys.as_object().unwrap().iter().fold(base, |conf, (key, value)| conf.set(key, value.clone()));
    let prepare = |host: &Host| {
        host.run("ip link add up0 type veth peer name wire");
        host.run("ip link set wire up");
        host.run("ip link set up0 up");
    };
    Try { prepare, ..first(conf) }
}

/// The configurations that a plugin is tried with, all its parts among them.
pub(crate) fn tries(plugin: &str) -> Vec<Try> {
    let masquerading =
        |conf: Conf, backend: &str| first(conf.set("ipMasq", true).set("ipMasqBackend", backend));
    let ports = json!([{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }]);
    let mapped = |backend: &str| json!({ "backend": backend, "snat": true, "runtimeConfig": { "portMappings": ports } });
    match plugin {
        "bridge" => ["iptables", "nftables"]
            .map(|backend| masquerading(bridge().set("macspoofchk", true), backend))
            .into(),
        "ptp" => ["iptables", "nftables"].map(|backend| masquerading(Conf::ptp(), backend)).into(),
        "loopback" => vec![first(Conf::loopback())],
        "macvlan" => vec![on_master(plugin, json!({}))],
        "ipvlan" => vec![on_master(plugin, json!({}))],
        "vlan" => vec![on_master(plugin, json!({ "vlanId": 5 }))],
        "tap" | "dummy" => vec![first(Conf::ptp().set("type", plugin))],
        "host-device" => vec![Try {
            prepare: |host| {
                host.run("ip link add ens5 type veth peer name wire");
                host.run("ip link set wire up");
            },
            ..first(Conf::ptp().set("type", plugin).set("device", "ens5"))
        }],
        "bandwidth" => vec![chained(plugin, json!({ "ingressRate": 8_000_000, "egressRate": 8_000_000 }))],
        "tuning" => vec![chained(
            plugin,
            json!({ "mtu": 1300, "sysctl": { "net.ipv4.conf.IFNAME.log_martians": "1" } }),
        )],
        "sbr" => vec![chained(plugin, json!({}))],
        "vrf" => vec![chained(plugin, json!({ "vrfname": "red" }))],
        "firewall" => {
            ["iptables", "nftables"].map(|backend| chained(plugin, json!({ "backend": backend }))).into()
        }
        "portmap" => ["iptables", "nftables"].map(|backend| chained(plugin, mapped(backend))).into(),
        "flannel" => vec![Try {
            prepare: |_| {
                let env = "FLANNEL_NETWORK=10.22.0.0/16\nFLANNEL_SUBNET=10.22.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
                std::fs::create_dir_all("/run/flannel").unwrap();
                std::fs::write("/run/flannel/subnet.env", env).unwrap();
            },
            ..first(Conf::new(json!({ "name": "net", "type": "flannel" })))
        }],
        other => panic!("nobody has said yet how {other} is tried"),
    }
}

/// Changes a part that nobody owns; false for one that leaves nothing to change.
pub(crate) fn disturb(part: &str, host: &Host, pod: &Container) -> bool {
    match part {
        "announcement" => return false,
        "bridge" => host.run("ip link set br0 down"),
        "gateway" => host.run("ip address flush dev br0"),
        "addresses and routes" => pod.run("ip address flush dev eth0"),
        other => panic!("nobody has said yet how {other} is disturbed"),
    };
    true
}
