//! What is attached: chains of plugins as conflists have them.

use std::fs;

use serde_json::{Value, json};

use crate::place::sh;

/// A chain, by the name it has in tables.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) plugins: Vec<Value>,
}

/// Those of the latencies.
pub(crate) const ALL: [&str; 13] = [
    "loopback",
    "bridge-l2",
    "bridge-gw",
    "bridge-dual",
    "bridge-masq-iptables",
    "bridge-masq-nftables",
    "ptp",
    "ptp-masq-nftables",
    "macvlan",
    "bridge-portmap-iptables",
    "bridge-portmap-nftables",
    "chain-iptables",
    "chain-nftables",
];
/// Those that have every plugin in them but dhcp, which waits for a server.
pub(crate) const CROWDED: [&str; 15] = [
    "loopback",
    "bridge-all-nftables",
    "ptp-tail",
    "bridge-all-iptables",
    "ptp-masq-iptables",
    "ptp-masq-nftables",
    "ptp-vrf",
    "macvlan",
    "ipvlan",
    "vlan",
    "tap",
    "dummy",
    "host-device",
    "flannel",
    "ipam",
];
/// Those that the floors do.
pub(crate) const OF_FLOORS: [&str; 2] = ["bridge-gw", "bridge-masq-nftables"];
/// What flanneld says.
const SUBNET: &str =
    "FLANNEL_NETWORK=10.22.0.0/16\nFLANNEL_SUBNET=10.22.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";

fn ranges(ranges: &[&str]) -> Value {
    let ranges: Vec<_> = ranges.iter().map(|subnet| json!([{ "subnet": subnet }])).collect();
    json!({ "type": "host-local", "ranges": ranges, "routes": [{ "dst": "0.0.0.0/0" }] })
}

fn bridge(backend: Option<&str>) -> Value {
    let mut conf = json!({ "type": "bridge", "bridge": "bench0", "isGateway": true, "hairpinMode": true,
        "ipam": ranges(&["10.88.0.0/16"]) });
    if let Some(backend) = backend {
        conf["ipMasq"] = json!(true);
        if backend != "iptables" {
            conf["ipMasqBackend"] = json!(backend);
        }
    }
    conf
}

/// iptables is not named: releases of the reference before 1.6 do not know the key and have nothing else.
fn portmap(backend: &str) -> Value {
    let mut conf = json!({ "type": "portmap", "snat": true });
    if backend != "iptables" {
        conf["backend"] = json!(backend);
    }
    conf
}

impl Scenario {
    pub(crate) fn named(name: &str) -> Self {
        let backend = if name.ends_with("nftables") { "nftables" } else { "iptables" };
        let firewall = json!({ "type": "firewall", "backend": "iptables" });
        let bandwidth = json!({ "type": "bandwidth" });
        let tuning = json!({ "type": "tuning", "sysctl": { "net.core.somaxconn": "500" } });
        let chain = |last: &[Value]| [&[bridge(Some(backend)), portmap(backend)], last].concat();
        let mut ptp = json!({ "type": "ptp", "ipam": ranges(&["10.89.0.0/16"]) });
        let mut layer2 = bridge(None);
        layer2["isGateway"] = json!(false);
        layer2["ipam"] = json!({});
        let mut dual = bridge(None);
        dual["ipam"] = ranges(&["10.88.0.0/16", "fd00:88::/64"]);
        let on_uplink =
            |kind: &str| vec![json!({ "type": kind, "master": "uplink", "ipam": ranges(&["10.88.0.0/16"]) })];
        let alone = |kind: &str| json!({ "type": kind, "ipam": ranges(&["10.88.0.0/16"]) });
        let plugins = match name {
            "loopback" => vec![json!({ "type": "loopback" })],
            "bridge-l2" => vec![layer2],
            "bridge-gw" => vec![bridge(None)],
            "bridge-dual" => vec![dual],
            "bridge-masq-iptables" | "bridge-masq-nftables" => vec![bridge(Some(backend))],
            "ptp" => vec![ptp],
            "ptp-masq-iptables" | "ptp-masq-nftables" => {
                ptp["ipMasq"] = json!(true);
                if backend != "iptables" {
                    ptp["ipMasqBackend"] = json!(backend);
                }
                vec![ptp]
            }
            "macvlan" => {
                vec![json!({ "type": "macvlan", "master": "uplink", "ipam": ranges(&["10.90.0.0/16"]) })]
            }
            "bridge-portmap-iptables" | "bridge-portmap-nftables" => chain(&[]),
            "chain-iptables" => chain(&[bandwidth, firewall, tuning]),
            // The reference's firewall has no nftables.
            "chain-nftables" => chain(&[bandwidth, tuning]),
            "bridge-all-iptables" | "bridge-all-nftables" => {
                let mut bridge = bridge(Some(backend));
                bridge["macspoofchk"] = json!(true);
                vec![bridge, portmap(backend), json!({ "type": "firewall", "backend": backend })]
            }
            "ptp-tail" => vec![alone("ptp"), bandwidth, tuning, json!({ "type": "sbr" })],
            "ptp-vrf" => vec![alone("ptp"), json!({ "type": "vrf", "vrfname": "red" })],
            "ipvlan" => on_uplink(name),
            "vlan" => {
                let mut plugins = on_uplink(name);
                plugins[0]["vlanId"] = json!(5);
                plugins
            }
            "tap" | "dummy" => vec![alone(name)],
            "host-device" => {
                let mut device = alone(name);
                device["device"] = json!("device");
                vec![device]
            }
            "flannel" => vec![json!({ "type": name })],
            "portmap-iptables" | "portmap-nftables" => vec![portmap(backend)],
            "firewall-iptables" => vec![firewall],
            "firewall-nftables" => vec![json!({ "type": "firewall", "backend": backend })],
            "ipam" => vec![
                alone("host-local"),
                json!({ "type": "static", "ipam": { "type": "static", "addresses": [{ "address": "10.91.0.2/16" }] } }),
            ],
            other => panic!("there is no scenario {other}"),
        };
        Self { name: name.to_owned(), plugins }
    }

    pub(crate) fn ifname(&self) -> &'static str {
        if self.name == "loopback" { "lo" } else { "eth0" }
    }

    /// What the host needs before.
    pub(crate) fn prepare(&self) {
        match self.name.as_str() {
            "macvlan" | "ipvlan" | "vlan" => {
                sh(
                    "ip link show uplink > /dev/null 2>&1 || ip link add uplink up type veth peer name far; ip link set far up",
                );
            }
            "host-device" => {
                sh("ip link add device type veth peer name far-device; ip link set far-device up")
            }
            "flannel" => {
                fs::create_dir_all("/run/flannel").unwrap();
                fs::write("/run/flannel/subnet.env", SUBNET).unwrap();
            }
            _ => {}
        }
    }
}
