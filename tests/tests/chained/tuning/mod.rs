//! `tuning`: what ADD changes, DEL restores, CHECK and GC find; both directions of upgrade; bad input; faults.

mod allow_list;
mod bad_input;
mod changes;
mod check;
mod faults;
mod leftovers;
mod upgrade;

use cni_tests::{Conf, Container, Host, Place};
use serde_json::json;

const BACKUP: &str = "/run/cni/tuning/pod_eth0.json";

/// A host with a pod on a pair, and the configuration of a `tuning` behind it.
fn attached(host: &Host) -> (Container, Conf) {
    let pod = host.container("pod");
    host.run("ip link add host0 type veth peer name eth0 netns pod");
    (pod, conf("1.0.0"))
}

fn conf(version: &str) -> Conf {
    let interfaces = json!([{ "name": "host0" }, { "name": "eth0", "sandbox": "/run/netns/pod" }]);
    let prev = if version < "0.3.0" {
        json!({ "cniVersion": version, "ip4": { "ip": "10.1.0.2/24" } })
    } else {
        json!({ "cniVersion": version, "interfaces": interfaces })
    };
    Conf::new(json!({ "cniVersion": version, "name": "net", "type": "tuning" })).prev(&prev)
}

fn everything(conf: Conf) -> Conf {
    conf.set("mac", "0a:00:00:00:00:0A")
        .set("mtu", 1400)
        .set("promisc", true)
        .set("allmulti", true)
        .set("txQLen", 77)
}

/// The attributes as `ip` has them: MAC, MTU, promiscuous, all multicast, queue length.
fn attributes(pod: &Container) -> (String, u64, bool, bool, u64) {
    let link = pod.link("eth0");
    let flag = |name: &str| link["flags"].as_array().unwrap().iter().any(|f| f == name);
    (
        link["address"].as_str().unwrap().to_owned(),
        link["mtu"].as_u64().unwrap(),
        flag("PROMISC"),
        flag("ALLMULTI"),
        link["txqlen"].as_u64().unwrap(),
    )
}
