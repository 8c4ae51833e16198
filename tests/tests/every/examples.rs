//! Every file in `conf-examples/` works: ADD, CHECK, DEL of its whole chain.

use cni_tests::{ANCHOR, Chain, Host, Place, needs};
use serde_json::{Value, json};

#[test]
fn every_example_works_and_leaves_nothing() {
    for (name, list) in examples().into_iter().filter(|(_, list)| is_plain(list)) {
        works(&name, &list);
    }
}

#[test]
fn examples_with_other_users_work_and_leave_nothing() {
    needs!(UserIds);
    for (name, list) in examples().into_iter().filter(|(_, list)| has_other_users(list)) {
        works(&name, &list);
    }
}

/// Whether every machine that runs tests can have it.
pub(crate) fn is_plain(list: &Value) -> bool {
    !is_for_a_larger_kernel(list) && !has_other_users(list)
}

/// Whether a tap in it is a user's.
fn has_other_users(list: &Value) -> bool {
    list["plugins"].as_array().unwrap().iter().any(|plugin| plugin.get("owner").is_some())
}

#[test]
fn examples_for_a_larger_kernel_work_and_leave_nothing() {
    needs!(BridgeVlan, Dummy, Ipvlan, Vlan, Vrf);
    for (name, list) in examples().into_iter().filter(|(_, list)| is_for_a_larger_kernel(list)) {
        works(&name, &list);
    }
}

/// Whether it needs what the kernels of some machines lack.
fn is_for_a_larger_kernel(list: &Value) -> bool {
    list["plugins"].as_array().unwrap().iter().any(|plugin| {
        let has = |key: &str| plugin.get(key).is_some();
        match plugin["type"].as_str().unwrap() {
            "bridge" => has("vlan") || has("vlanTrunk"),
            "dummy" | "ipvlan" | "vlan" | "vrf" => true,
            _ => is_vlan(&plugin["master"]),
        }
    })
}

/// Whether the plugin declares a key for it.
fn has_master(plugin: &str) -> bool {
    let keys = cni_plugins::KEYS.iter().filter(|keys| keys.plugin == plugin);
    keys.flat_map(|keys| keys.keys).flat_map(|keys| *keys).any(|key| key.name == "master")
}

/// `eth0.100`
fn is_vlan(master: &Value) -> bool {
    master.as_str().is_some_and(|name| name.contains('.'))
}

/// Makes the links of the node that the example's containers are on.
fn make_masters(host: &Host, list: &Value) {
    let plugins = list["plugins"].as_array().unwrap();
    if !plugins.iter().any(|plugin| has_master(plugin["type"].as_str().unwrap())) {
        return;
    }
    host.run("ip link add eth0 type veth peer name wire");
    host.run("ip link set eth0 up");
    host.run("ip route add default dev eth0");
    for master in plugins.iter().map(|plugin| &plugin["master"]).filter(|master| is_vlan(master)) {
        let name = master.as_str().unwrap();
        let (below, id) = name.split_once('.').unwrap();
        host.run(&format!("ip link add link {below} name {name} type vlan id {id}"));
        host.run(&format!("ip link set {name} up"));
    }
}

/// All but those that need a DHCP server: `dhcp/cnitool.rs` runs them.
pub(crate) fn examples() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(format!("{ANCHOR}/conf-examples")).unwrap();
    let lists = files.map(|entry| entry.unwrap().path().display().to_string());
    let lists = lists.filter(|file| file.ends_with(".conflist") && !file.contains("/dhcp-"));
    let lists = lists.map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file, serde_json::from_str(&text).unwrap())
    });
    let lists: Vec<_> = lists.collect();
    assert!(lists.len() >= 5, "the examples are there");
    lists
}

fn works(name: &str, list: &Value) {
    Host::fresh(|host| {
        println!("{name}");
        let chain = chain(name, list);
        prepare(host, list);
        let first = host.container("first");
        let result = chain.add(host, &first, "eth0");
        chain.del(host, &first, "eth0", &result);
        let before = host.snapshot();
        let pod = host.container("pod");
        let result = chain.add(host, &pod, "eth0");
        chain.check(host, &pod, "eth0", &result);
        chain.del(host, &pod, "eth0", &result);
        host.snapshot().assert_same_as(&before, name);
    });
}

/// The example with all that a runtime could give it.
pub(crate) fn chain(name: &str, list: &Value) -> Chain {
    Chain::new(list)
        .runtime("mac", &json!("0a:00:00:00:00:05"))
        .runtime("ips", &json!([if name.contains("static") { "10.22.12.5/24" } else { "10.22.10.5" }]))
        .runtime("bandwidth", &json!({ "ingressRate": 8_000_000, "egressRate": 8_000_000 }))
        .runtime("portMappings", &json!([{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }]))
        .runtime("ipRanges", &json!([[{ "subnet": "10.22.99.0/24" }]]))
        .runtime("deviceID", &json!("mlx5_core.sf.2"))
}

/// What the node of an example has.
pub(crate) fn prepare(host: &Host, list: &Value) {
    plug_in(host, list);
    make_masters(host, list);
    if list["plugins"].as_array().unwrap().iter().any(|plugin| plugin["type"] == "flannel") {
        write_subnet_env();
    }
}

/// The device that a node of an example has: the one it names it names, or the one that is assigned to it.
fn plug_in(host: &Host, list: &Value) {
    for plugin in list["plugins"].as_array().unwrap().iter().filter(|plugin| plugin["type"] == "host-device")
    {
        let device = plugin["device"].as_str().unwrap_or("assigned");
        host.run(&format!("ip link add {device} type veth peer name wire"));
        host.run("mount -t tmpfs tmpfs /sys/bus");
        host.run(&format!("mkdir -p /sys/bus/auxiliary/devices/mlx5_core.sf.2/net/{device}"));
    }
}

/// What flanneld does.
fn write_subnet_env() {
    std::fs::create_dir("/run/flannel").unwrap();
    let subnet = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
    std::fs::write("/run/flannel/subnet.env", subnet).unwrap();
}
