//! Results of every specification version against golden files, made from the contract by other means: out byte for
//! byte, in and out again.

use std::fs;

use cni_types::{CniResult, Dns, Interface, IpConfig, Json, ResultForm, Route, SpecVersion};

fn golden(name: &str, version: SpecVersion) -> String {
    let file = format!("{}/tests/golden/{name}-{version}.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(file).unwrap()
}

fn read(text: &str, version: SpecVersion) -> CniResult {
    CniResult::from_json(&Json::parse(text.as_bytes()).unwrap(), version).unwrap()
}

/// Everything a result can hold: index 0 and no index, table and scope 0, no gateway, both families interleaved.
fn full() -> CniResult {
    let bridge =
        Interface { name: "cni0".into(), mac: "02:00:00:00:00:01".into(), mtu: 1500, ..Interface::default() };
    let eth0 = Interface {
        name: "eth0".into(),
        mac: "02:00:00:00:00:02".into(),
        mtu: 1400,
        sandbox: "/run/netns/blue".into(),
        socket_path: "/run/vhost.sock".into(),
        pci_id: "0000:00:1f.6".into(),
    };
    let ip = |interface, address: &str, gateway: Option<&str>| IpConfig {
        interface,
        address: address.parse().unwrap(),
        gateway: gateway.map(|g| g.parse().unwrap()),
    };
    let route =
        |dst: &str, gw: Option<&str>| Route::new(dst.parse().unwrap(), gw.map(|g| g.parse().unwrap()));
    let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    CniResult {
        interfaces: vec![bridge, eth0],
        ips: vec![
            ip(Some(1), "10.1.2.3/24", Some("10.1.2.1")),
            ip(Some(0), "2001:db8::3/64", None),
            ip(None, "10.1.2.4/24", Some("10.1.2.1")),
        ],
        routes: vec![
            Route {
                mtu: 1400,
                advmss: 1360,
                priority: 5,
                table: Some(0),
                scope: Some(0),
                ..route("0.0.0.0/0", Some("10.1.2.1"))
            },
            route("::/0", None),
            Route { table: Some(100), scope: Some(253), ..route("192.168.0.0/16", Some("10.1.2.9")) },
        ],
        dns: Dns {
            nameservers: strings(&["10.1.2.53", "2001:db8::53"]),
            domain: "example.org".into(),
            search: strings(&["a.example.org", "b.example.org"]),
            options: strings(&["ndots:5"]),
        },
    }
}

/// What is left of [`full`] once it went through `version`.
fn remains(version: SpecVersion) -> CniResult {
    let mut result = full();
    if version < SpecVersion::V1_1_0 {
        for interface in &mut result.interfaces {
            (interface.mtu, interface.socket_path, interface.pci_id) = (0, String::new(), String::new());
        }
    }
    if version.form() == ResultForm::Legacy {
        result.interfaces.clear();
        result.ips.truncate(2);
        result.ips.iter_mut().for_each(|ip| ip.interface = None);
        result.routes = [0, 2, 1].map(|i| Route::new(result.routes[i].dst, result.routes[i].gw)).into();
    }
    result
}

#[test]
fn every_version_prints_the_full_and_the_barest_result() {
    let address = "10.0.0.2/32".parse().unwrap();
    let bare =
        CniResult { ips: vec![IpConfig { interface: None, address, gateway: None }], ..CniResult::default() };
    for version in SpecVersion::ALL {
        assert_eq!(full().to_json(version).unwrap(), golden("full", version), "{version}");
        assert_eq!(bare.to_json(version).unwrap(), golden("bare", version), "{version}");
    }
}

#[test]
fn every_version_reads_back_what_it_prints() {
    for version in SpecVersion::ALL {
        let text = golden("full", version);
        let result = read(&text, version);
        assert_eq!(result, remains(version), "{version}");
        assert_eq!(result.to_json(version).unwrap(), text, "{version}");
    }
}

#[test]
fn every_version_converts_to_every_other() {
    for from in SpecVersion::ALL {
        let result = read(&golden("full", from), from);
        for to in SpecVersion::ALL {
            let (older, text) = (from.min(to), result.to_json(to).unwrap());
            assert_eq!(read(&text, to), remains(older), "{from} to {to}");
            if from >= to {
                assert_eq!(text, golden("full", to), "{from} to {to}");
            }
        }
    }
}
