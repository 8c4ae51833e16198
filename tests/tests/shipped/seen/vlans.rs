//! The VLANs that `ls` and `graph` show, compared with what `bridge` and `ip` say.

use std::fs;

use cni_tests::{Place, needs};
use serde_json::{Value, json};

use super::{NETWORKS, Seen};

fn configure(name: &str, plugin: &Value) {
    let list = json!({ "cniVersion": "1.1.0", "name": name, "plugins": [plugin] });
    fs::write(format!("{NETWORKS}/30-{name}.conflist"), list.to_string()).unwrap();
}

/// Each VLAN of the port, as `bridge` lists them.
fn of_port(seen: &Seen, port: &str) -> Vec<u64> {
    let listed = seen.host.json(&format!("bridge -j vlan show dev {port}"));
    let ranges = listed[0]["vlans"].as_array().unwrap().iter().map(|range| {
        let first = range["vlan"].as_u64().unwrap();
        first..=range["vlanEnd"].as_u64().unwrap_or(first)
    });
    ranges.flatten().collect()
}

#[test]
fn the_vlans_of_ports_and_links_are_those_that_the_kernel_has() {
    needs!(BridgeVlan, Vlan);
    let seen = Seen::new();
    seen.host.run("ip link add trunk0 type veth peer name trunk1");
    seen.host.run("ip link set trunk0 up");
    seen.host.run("ip link set trunk1 up");
    configure("access", &json!({ "type": "bridge", "bridge": "br7", "vlan": 100 }));
    let trunk = json!([{ "id": 7 }, { "minID": 100, "maxID": 103 }]);
    configure("trunk", &json!({ "type": "bridge", "bridge": "br7", "vlan": 5, "vlanTrunk": trunk }));
    configure("native", &json!({ "type": "bridge", "bridge": "br7", "vlanTrunk": [{ "id": 9 }] }));
    let ipam = json!({ "type": "host-local", "subnet": "10.44.0.0/24" });
    configure("tagged", &json!({ "type": "vlan", "master": "trunk0", "vlanId": 42, "ipam": ipam }));
    for (network, said) in
        [("access", "100"), ("trunk", "5, 7, 100-103"), ("native", "1, 9"), ("tagged", "42"), ("web", "-")]
    {
        let pod = seen.attach(network, network);
        let entry = seen.of(network);
        let shown: Vec<u64> = serde_json::from_value(entry["vlans"].clone()).unwrap();
        match entry["hostLink"].as_str() {
            Some(_) if network == "web" => assert_eq!(shown, [0; 0], "{entry:#}"),
            Some(port) => assert_eq!(shown, of_port(&seen, port), "{entry:#}"),
            None => assert_eq!(shown, [pod.link("eth0")["linkinfo"]["info_data"]["id"].as_u64().unwrap()]),
        }
        let wide = seen.text(&format!("ls -o wide --network {network}"));
        let [headings, row] = wide.lines().collect::<Vec<_>>().try_into().unwrap();
        let column = &row[headings.find("VLAN").unwrap()..headings.find("PORTS").unwrap()];
        assert_eq!(column.trim(), said, "{wide}");
        let tree = seen.text(&format!("graph --network {network}"));
        let is_shown = tree.lines().any(|line| line.contains(&format!("VLAN {said}")));
        assert_eq!((is_shown, tree.contains('✗')), (said != "-", false), "{tree}");
    }
    let tree = seen.text("graph");
    assert!(tree.lines().any(|line| line.contains("br7") && line.contains("filters VLANs")), "{tree}");
    // Who may speak in which VLAN changes behind the plugins' back.
    let port = seen.of("access")["hostLink"].as_str().unwrap().to_owned();
    seen.host.run(&format!("bridge vlan delete vid 100 dev {port}"));
    seen.host.run(&format!("bridge vlan add vid 200-201 dev {port}"));
    assert_eq!(seen.of("access")["vlans"], json!([200, 201]));
}
