//! DHCP networks as a person uses them: configuration lists and `cnitool`.

use std::fs;

use cni_tests::{ANCHOR, Container, DhcpServer, Finished, Host, Place, SEGMENT, Suite, needs, run};
use serde_json::{Value, json};

use crate::{address, kea, server};

const NETWORKS: &str = "/run/net.d";

fn cnitool(host: &Host, networks: &str, command: &str, network: &str, pod: &Container) -> Finished {
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    match command {
        "gc" => cnitool.args([command, "--keep", "none", network]),
        "ls" => cnitool.args([command, "-o", "json", "--network", network]),
        _ => cnitool.args([command, network]).arg(pod.netns()),
    };
    cnitool.env("NETCONFPATH", networks).env("CNI_PATH", Suite::Ours.source());
    let done = run(&mut cnitool, b"");
    assert!(done.status.success(), "{command}: {done:?}");
    done
}

fn works(plugin: &Value) {
    let host = Host::new();
    let kea = kea(&server(&host), [4, 1, 3]);
    uplink(&host, "uplink");
    fs::create_dir_all(NETWORKS).unwrap();
    let list = json!({ "cniVersion": "1.1.0", "name": "leased", "plugins": [plugin] });
    fs::write(format!("{NETWORKS}/leased.conflist"), list.to_string()).unwrap();
    network_works(&host, &kea, NETWORKS, "leased");
}

/// A link of the node on the server's segment.
fn uplink(host: &Host, name: &str) {
    host.run(&format!("ip link add {name} type veth peer name port-uplink"));
    host.run(&format!("ip link set port-uplink master {SEGMENT} up"));
    host.run(&format!("ip link set {name} up"));
}

fn network_works(host: &Host, kea: &DhcpServer, networks: &str, network: &str) {
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let cnitool = |command: &str| cnitool(host, networks, command, network, &pod);
    cnitool("status");
    let result: Value = serde_json::from_slice(&cnitool("add").stdout).unwrap();
    let ip = address(&result).to_owned();
    kea.holds(&[&ip]);
    assert!(pod.pings("10.77.0.1"));
    kea.nth_received(3, "DHCPREQUEST");
    cnitool("check");
    let listed: Value = serde_json::from_slice(&cnitool("ls").stdout).unwrap();
    let lease = json!({ "part": "lease", "what": ip.split('/').next() });
    let entry = &listed["attachments"][0];
    assert_eq!(entry["state"], "ok", "{listed:#}");
    assert!(entry["held"].as_array().unwrap().contains(&lease), "{listed:#}");
    cnitool("del");
    kea.holds(&[]);
    assert!(pod.find_link("eth0").is_none());
    cnitool("add");
    cnitool("gc");
    kea.holds(&[]);
    assert_eq!(crate::records(), 0);
}

#[test]
fn with_bridge() {
    needs!(Kea);
    works(&json!({ "type": "bridge", "bridge": SEGMENT, "ipam": { "type": "dhcp" } }));
}

#[test]
fn with_macvlan() {
    needs!(Kea);
    works(&json!({ "type": "macvlan", "master": "uplink", "ipam": { "type": "dhcp" } }));
}

/// The files in `conf-examples/`, which name the node's link and the bridge it belongs to.
#[test]
fn the_examples_work() {
    needs!(Kea);
    for network in ["dhcp-bridge", "dhcp-macvlan"] {
        Host::fresh(|host| {
            let kea = kea(&server(host), [4, 1, 3]);
            uplink(host, "eth0");
            if network == "dhcp-bridge" {
                host.run("ip link add cni-dhcp address 02:00:00:00:00:01 type bridge");
                host.run("ip link set cni-dhcp up");
                host.run("ip link set eth0 master cni-dhcp");
            }
            network_works(host, &kea, &format!("{ANCHOR}/conf-examples"), network);
        });
    }
}
