use cni_types::NetworkName;

use super::*;

fn read(version: SpecVersion, text: &str, args: &str) -> Result<Conf> {
    let json = Json::parse(text.as_bytes()).unwrap();
    let mut network = Network::new(NetworkName::new("n").unwrap(), version, json, text.as_bytes().to_vec());
    network.args = CniArgs::new(args);
    Conf::read(&network)
}

/// `address>gateway`, joined by spaces.
fn ips(text: &str, args: &str) -> String {
    let conf = read(SpecVersion::V1_1_0, text, args).unwrap();
    let texts = conf.ips.iter().map(|ip| match ip.gateway {
        Some(gateway) => format!("{}>{gateway}", ip.address),
        None => ip.address.to_string(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[test]
fn sources_add_up_or_replace_each_other() {
    let all = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"0:01ff::1/64"}]}"#;
    let args = "IgnoreUnknown=1;X=1;IP=10.9.9.9/8, 11.0.0.1/8;GATEWAY=10.0.0.1,10.1.2.254, 77.0.0.1";
    for (rest, args, wanted) in [
        ("}", "", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
        ("}", "IP=;GATEWAY=", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
        ("}", args, "10.1.2.3/24>10.1.2.1 0:1ff::1/64 10.9.9.9/8>10.1.2.254 11.0.0.1/8"),
        (r#","args":{"cni":{"ips":[]}},"runtimeConfig":{}}"#, "", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
        (r#","args":{"cni":{"ips":["10.5.0.1/16"]}}}"#, args, "10.5.0.1/16"),
        (
            r#","args":{"cni":{"ips":["10.5.0.1/16"]}},"RuntimeConfig":{"ips":["10.6.0.1/16"]}}"#,
            args,
            "10.6.0.1/16",
        ),
    ] {
        assert_eq!(ips(&format!("{all}{rest}"), args), wanted, "{rest} {args}");
    }
    assert_eq!(ips(r#"{"ipam":{}}"#, ""), "");
}

#[test]
fn bad_values_name_their_source() {
    let good = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24"}]}"#;
    for (text, args, code, wanted) in [
        (r#"{"args":{"cni":{"ips":["10.1.2.3/24"]}}}"#.to_owned(), "", 7, "IPAM config missing 'ipam' key"),
        (r#"{"ipam":[]}"#.to_owned(), "", 6, "key \"ipam\""),
        (
            r#"{"ipam":{"addresses":["10.1.2.3/24"]}}"#.to_owned(),
            "",
            6,
            "key \"ipam.addresses[0]\": it must be an object: write { \"address\": \"10.1.2.3/24\" }",
        ),
        (
            r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1/24"}]}}"#.to_owned(),
            "",
            6,
            "write it without the prefix length, 10.1.2.1",
        ),
        (
            r#"{"ipam":{"addresses":[{"address":"10.1.2.3"}]}}"#.to_owned(),
            "",
            6,
            "ipam.addresses[0].address\": invalid CIDR address \"10.1.2.3\"",
        ),
        (
            r#"{"ipam":{"addresses":[{"address":"10.1.2.3/33"}]}}"#.to_owned(),
            "",
            6,
            "the prefix length must be 0–32",
        ),
        (
            r#"{"ipam":{"addresses":[{"gateway":"10.1.2.3"}]}}"#.to_owned(),
            "",
            6,
            "key \"ipam.addresses[0].address\": invalid CIDR address \"\"",
        ),
        (
            r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"x"}]}}"#.to_owned(),
            "",
            6,
            "ipam.addresses[0].gateway",
        ),
        (
            format!("{good},\"args\":{{\"cni\":{{\"ips\":[\"10.1.2.3\"]}}}}}}"),
            "",
            6,
            "key \"args.cni.ips[0]\"",
        ),
        (format!("{good},\"runtimeConfig\":{{\"ips\":[7]}}}}"), "", 6, "key \"runtimeConfig.ips[0]\""),
        (
            format!("{good}}}"),
            "IP=10.1.2.3",
            4,
            "CNI_ARGS: invalid IP \"10.1.2.3\": it must be <ip>/<prefix length>",
        ),
        (format!("{good}}}"), "IP=10.1.2.3/24,", 4, "CNI_ARGS: invalid IP \"\""),
        (format!("{good}}}"), "GATEWAY=x", 4, "CNI_ARGS: invalid GATEWAY \"x\""),
        (format!("{good}}}"), "gateway=10.1.2.1", 4, "unknown args"),
    ] {
        let error = read(SpecVersion::V1_1_0, &text, args).unwrap_err();
        assert_eq!(error.code.0, code, "{text} {args}: {error}");
        assert!(error.to_string().contains(wanted), "{text} {args}: {error}");
    }
}

#[test]
fn old_versions_hold_one_address_per_family() {
    let both = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24"},{"address":"::1/64"}]}}"#;
    assert!(read(SpecVersion::V0_2_0, both, "").is_ok());
    let error = read(SpecVersion::V0_2_0, both, "IP=10.1.2.4/24").unwrap_err();
    assert_eq!(error.msg, "CNI version 0.2.0 does not support more than 1 address per family");
    assert!(read(SpecVersion::V0_3_0, both, "IP=10.1.2.4/24").is_ok());
}
