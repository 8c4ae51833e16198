//! No bytes, and no JSON, make reading panic; what is read can be printed and read again.

use cni_types::{CniResult, Dns, Json, Network, NetworkName, Route, SpecVersion};
use proptest::prelude::*;

/// Any document, with keys that the readers look for among the others.
fn json() -> impl Strategy<Value = Json> {
    let key = prop_oneof![
        "[a-zA-Z]{0,6}",
        prop::sample::select(vec![
            "cniVersion",
            "CNIVERSION",
            "interfaces",
            "ips",
            "ip4",
            "ip6",
            "ip",
            "routes",
            "dns",
            "address",
            "gateway",
            "interface",
            "version",
            "dst",
            "gw",
            "table",
            "scope",
            "nameservers",
            "prevResult",
            "ipam",
            "type",
            "name",
            "containerID",
            "ifname",
            "cni.dev/valid-attachments",
        ])
        .prop_map(String::from),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.into())),
        // Fractions that decimal digits hold exactly: the last bit of a double is not promised.
        any::<i32>().prop_filter_map("finite", |n| {
            serde_json::Number::from_f64(f64::from(n) / 4.0).map(Json::Number)
        }),
        any::<String>().prop_map(Json::String),
        prop::sample::select(vec![
            "10.0.0.1/24",
            "::1/64",
            "::ffff:1.2.3.4/120",
            "1.2.3.4",
            "",
            "0.4.0",
            "1.1.0"
        ])
        .prop_map(|s| Json::String(s.into())),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(Json::Object),
        ]
    })
}

fn read_everything(json: &Json) {
    for version in SpecVersion::ALL {
        if let Ok(result) = CniResult::from_json(json, version) {
            for to in SpecVersion::ALL {
                if let Ok(text) = result.to_json(to) {
                    let again = CniResult::from_json(&Json::parse(text.as_bytes()).unwrap(), to).unwrap();
                    assert_eq!(again.to_json(to).unwrap(), text);
                }
            }
        }
    }
    let name = NetworkName::new("n").unwrap();
    let network = Network::new(name, SpecVersion::CURRENT, json.clone(), Vec::new());
    let _ = (network.prev_result(), network.ipam_type(), network.dns(), network.valid_attachments());
    let _ = (json.decode::<Dns>(), json.decode::<Vec<Route>>(), json.decode::<Json>());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(json) = Json::parse(&bytes) {
            read_everything(&json);
        }
    }

    #[test]
    fn arbitrary_json(json in json()) {
        // Objects under one name are one when they are read, so the first reading may differ from what was written.
        let read = Json::parse(json.pretty().as_bytes()).unwrap();
        prop_assert_eq!(&Json::parse(read.pretty().as_bytes()).unwrap(), &read);
        read_everything(&json);
        read_everything(&read);
    }

    #[test]
    fn a_changed_byte_in_a_result(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/full-1.1.0.json");
        let mut text = std::fs::read(file).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(json) = Json::parse(&text) {
            read_everything(&json);
        }
    }
}
