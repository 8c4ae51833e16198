//! The keys of a configuration that every plugin shares.

use cni_types::{AttachmentId, Code, ContainerId, IfName, Json, Network, NetworkName, SpecVersion};

fn network(text: &str, version: SpecVersion) -> Network {
    let json = Json::parse(text.as_bytes()).unwrap();
    Network::new(NetworkName::new("net").unwrap(), version, json, text.as_bytes().to_vec())
}

fn current(text: &str) -> Network {
    network(text, SpecVersion::CURRENT)
}

#[test]
fn a_prev_result_must_be_of_its_configurations_family() {
    for conf in SpecVersion::ALL {
        for own in SpecVersion::ALL {
            let text = format!(r#"{{"prevResult":{{"cniVersion":"{own}"}}}}"#);
            let result = network(&text, conf).prev_result();
            if own.form() == conf.form() {
                assert!(result.unwrap().is_some(), "{own} in {conf}");
            } else {
                let error = result.unwrap_err();
                assert_eq!(error.code, Code::INCOMPATIBLE_VERSION);
                let wanted = format!("unmarshalled CNIVersion is \"{own}\"");
                assert!(error.msg.contains(&wanted) && error.msg.contains(conf.as_str()), "{error}");
            }
        }
        for (own, code) in [(r#""9.9.9""#, Code::INCOMPATIBLE_VERSION), ("5", Code::DECODE)] {
            let text = format!(r#"{{"prevResult":{{"cniVersion":{own}}}}}"#);
            assert_eq!(network(&text, conf).prev_result().unwrap_err().code, code, "{own} in {conf}");
        }
    }
}

#[test]
fn a_prev_result_without_a_version_is_of_the_configurations() {
    let text = r#"{"PREVRESULT":{"ips":[{"address":"10.0.0.2/24","interface":null,"gateway":""}]}}"#;
    let result = current(text).prev_result().unwrap().unwrap();
    assert_eq!((result.ips[0].interface, result.ips[0].gateway), (None, None));
    let text = r#"{"prevResult":{"cniVersion":"","ip4":{"ip":"10.0.0.2/24"}}}"#;
    assert_eq!(network(text, SpecVersion::V0_2_0).prev_result().unwrap().unwrap().ips.len(), 1);
    for (text, some) in [("{}", false), (r#"{"prevResult":null}"#, false), (r#"{"prevResult":{}}"#, true)] {
        assert_eq!(current(text).prev_result().unwrap().is_some(), some, "{text}");
    }
    for garbage in ["7", "[]", r#"{"ips":{}}"#, r#"{"ips":[{}]}"#, r#"{"ips":[{"address":"x"}]}"#] {
        let error = current(&format!(r#"{{"prevResult":{garbage}}}"#)).prev_result().unwrap_err();
        assert_eq!(error.code, Code::DECODE, "{garbage}: {error}");
    }
}

#[test]
fn mapped_addresses_of_a_result_are_ipv4() {
    let text = r#"{"prevResult":{"ips":[{"address":"::ffff:10.0.0.2/120","gateway":"::ffff:10.0.0.1"}]}}"#;
    let out = current(text).prev_result().unwrap().unwrap().to_json(SpecVersion::V0_4_0).unwrap();
    for part in [r#""version": "4""#, r#""address": "10.0.0.2/24""#, r#""gateway": "10.0.0.1""#] {
        assert!(out.contains(part), "{out}");
    }
}

#[test]
fn the_ipam_type() {
    for none in ["{}", r#"{"ipam":{}}"#, r#"{"ipam":null}"#, r#"{"ipam":{"type":""}}"#] {
        assert_eq!(current(none).ipam_type().unwrap(), None, "{none}");
    }
    let found = current(r#"{"IPAM":{"Type":"host-local","subnet":7}}"#).ipam_type().unwrap();
    assert_eq!(found.unwrap().as_str(), "host-local");
    for (bad, code) in [
        (r#"{"ipam":"host-local"}"#, Code::DECODE),
        (r#"{"ipam":{"type":7}}"#, Code::DECODE),
        (r#"{"ipam":{"type":"../../bin/reboot"}}"#, Code::CONFIG),
    ] {
        let error = current(bad).ipam_type().unwrap_err();
        assert!(error.code == code && error.msg.contains("ipam"), "{bad}: {error}");
    }
}

#[test]
fn dns_counts_when_any_of_it_is_given() {
    for (text, given) in [
        ("{}", false),
        (r#"{"dns":null}"#, false),
        (r#"{"dns":{}}"#, false),
        (r#"{"dns":{"domain":""}}"#, false),
        (r#"{"dns":{"search":null}}"#, false),
        (r#"{"dns":{"search":[]}}"#, true),
        (r#"{"dns":{"domain":"x"}}"#, true),
        (r#"{"Dns":{"NameServers":["1.1.1.1"]}}"#, true),
    ] {
        assert_eq!(current(text).dns().unwrap().is_some(), given, "{text}");
    }
    assert_eq!(current(r#"{"dns":{"search":"x"}}"#).dns().unwrap_err().code, Code::DECODE);
}

#[test]
fn gc_keeps_what_the_runtime_lists_and_needs_the_list() {
    let entry = r#"[{"containerID":"a","ifname":"eth0"}]"#;
    let id = AttachmentId {
        network: NetworkName::new("net").unwrap(),
        container_id: ContainerId::new("a").unwrap(),
        ifname: IfName::new("eth0").unwrap(),
    };
    for (text, wanted) in [
        (format!(r#"{{"cni.dev/valid-attachments":{entry}}}"#), vec![id.clone()]),
        (format!(r#"{{"cni.dev/attachments":{entry}}}"#), vec![id.clone()]),
        (format!(r#"{{"cni.dev/attachments":[],"cni.dev/valid-attachments":{entry}}}"#), vec![id]),
        (r#"{"cni.dev/valid-attachments":[]}"#.to_owned(), Vec::new()),
        (r#"{"cni.dev/valid-attachments":null}"#.to_owned(), Vec::new()),
    ] {
        assert_eq!(current(&text).valid_attachments().unwrap(), wanted, "{text}");
    }
    for (bad, code) in [
        ("{}", Code::CONFIG),
        (r#"{"cni.dev/valid-attachments":{}}"#, Code::DECODE),
        (r#"{"cni.dev/valid-attachments":[{"containerID":7}]}"#, Code::DECODE),
        (r#"{"cni.dev/valid-attachments":[{}]}"#, Code::CONFIG),
        (r#"{"cni.dev/valid-attachments":[null]}"#, Code::CONFIG),
        (r#"{"cni.dev/valid-attachments":[{"containerID":"a","ifname":"e/0"}]}"#, Code::CONFIG),
    ] {
        let error = current(bad).valid_attachments().unwrap_err();
        assert_eq!(error.code, code, "{bad}: {error}");
        assert!(error.msg.contains("cni.dev/valid-attachments"), "{bad}: {error}");
    }
}
