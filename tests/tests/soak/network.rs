//! The node's networks: chains as people have them.

use cni_tests::Chain;
use serde_json::{Value, json};

/// Where the IPAM of one network keeps its books: a file system of its own that can be full.
pub(crate) const SMALL_DISK: &str = "/run/small";

/// The networks that a pod may be added to.
pub(crate) fn all() -> Vec<Value> {
    let list =
        |name: &str, plugins: Value| json!({ "cniVersion": "1.1.0", "name": name, "plugins": plugins });
    let ports = |backend: &str| json!({ "type": "portmap", "backend": backend, "capabilities": { "portMappings": true } });
    vec![
        list(
            "cluster",
            json!([
                { "type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "ipMasqBackend": "nftables",
                  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.61.0.0/16" }], [{ "subnet": "fd00:61::/64" }]] } },
                ports("nftables"),
                { "type": "bandwidth", "ingressRate": 8_000_000, "ingressBurst": 800_000, "egressRate": 8_000_000, "egressBurst": 800_000 },
                { "type": "tuning", "mtu": 1400, "sysctl": { "net.ipv4.conf.IFNAME.arp_filter": "1" } },
            ]),
        ),
        list(
            "tenant",
            json!([
                { "type": "bridge", "bridge": "cni1", "isGateway": true, "macspoofchk": true,
                  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.62.0.0/16" }]] } },
                { "type": "firewall", "backend": "nftables" },
            ]),
        ),
        list(
            "routed",
            json!([
                { "type": "ptp", "ipMasq": true, "ipMasqBackend": "iptables",
                  "ipam": { "type": "host-local", "dataDir": SMALL_DISK, "ranges": [[{ "subnet": "10.63.0.0/16" }]] } },
                ports("iptables"),
            ]),
        ),
        list(
            "lan",
            json!([
                { "type": "macvlan", "master": "uplink", "mode": "bridge",
                  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.64.0.0/16" }]] } },
                { "type": "sbr" },
            ]),
        ),
        list("overlay", json!([{ "type": "flannel", "delegate": { "bridge": "cni2" } }, ports("nftables")])),
        list(
            "leased",
            json!([{ "type": "bridge", "bridge": cni_tests::SEGMENT, "ipam": { "type": "dhcp" } }]),
        ),
    ]
}

/// What flanneld says.
pub(crate) const SUBNET_ENV: &str = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\n\
    FLANNEL_IPMASQ=true\n";

/// The network's chain for the `n`-th pod, with a host port of its own where it has any.
pub(crate) fn chain(list: &Value, n: usize) -> Chain {
    let mapping = json!([{ "hostPort": 1025 + n % 60_000, "containerPort": 80, "protocol": "tcp" }]);
    Chain::new(list).runtime("portMappings", &mapping)
}

/// Whether the node can kill the network's plugins without a trace outside of it: not a server's leases.
pub(crate) fn survives_kills(list: &Value) -> bool {
    list["name"] != "leased"
}
