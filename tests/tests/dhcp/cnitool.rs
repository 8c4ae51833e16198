//! DHCP networks as a person uses them: configuration lists and `cnitool`.

use std::fs;

use cni_tests::{Container, Finished, Host, Place, SEGMENT, Suite, needs, run};
use serde_json::{Value, json};

use crate::{address, kea, server};

const NETWORKS: &str = "/run/net.d";

fn cnitool(host: &Host, command: &str, network: &str, pod: &Container) -> Finished {
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    cnitool.args([command, network]).arg(pod.netns());
    cnitool.env("NETCONFPATH", NETWORKS).env("CNI_PATH", Suite::Ours.source());
    let done = run(&mut cnitool, b"");
    assert!(done.status.success(), "{command}: {done:?}");
    done
}

fn works(plugin: &Value) {
    let host = Host::new();
    let kea = kea(&server(&host), [4, 1, 3]);
    host.run("ip link add uplink type veth peer name port-uplink");
    host.run(&format!("ip link set port-uplink master {SEGMENT} up"));
    host.run("ip link set uplink up");
    let _daemon = host.dhcp_daemon(&[]);
    fs::create_dir_all(NETWORKS).unwrap();
    let list = json!({ "cniVersion": "1.1.0", "name": "leased", "plugins": [plugin] });
    fs::write(format!("{NETWORKS}/leased.conflist"), list.to_string()).unwrap();
    let pod = host.container("pod");
    cnitool(&host, "status", "leased", &pod);
    let result: Value = serde_json::from_slice(&cnitool(&host, "add", "leased", &pod).stdout).unwrap();
    let ip = address(&result).to_owned();
    kea.holds(&[&ip]);
    assert!(pod.pings("10.77.0.1"));
    kea.nth_received(3, "DHCPREQUEST");
    cnitool(&host, "check", "leased", &pod);
    cnitool(&host, "del", "leased", &pod);
    kea.holds(&[]);
    assert!(pod.find_link("eth0").is_none());
    cnitool(&host, "add", "leased", &pod);
    cnitool(&host, "gc", "leased", &pod);
    kea.holds(&[]);
    assert_eq!(crate::verbs::records(), 0);
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
