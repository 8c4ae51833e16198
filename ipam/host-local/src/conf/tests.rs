use cni_types::{CniArgs, NetworkName};

use super::*;

fn network(version: SpecVersion, text: &str) -> Network {
    let name = NetworkName::new("n").unwrap();
    Network::new(name, version, Json::parse(text.as_bytes()).unwrap(), text.as_bytes().to_vec())
}

fn read(text: &str) -> Result<Conf> {
    Conf::read(&network(SpecVersion::V1_1_0, text))
}

#[test]
fn sets_come_in_the_order_that_numbers_them() {
    let conf = read(
        r#"{"IPAM":{"Subnet":"10.2.0.0/24","rangeStart":"10.2.0.10","RANGEEND":"10.2.0.20","gateway":"10.2.0.3",
            "ranges":[[{"subnet":"10.3.0.0/24"}],[{"subnet":"2001:db8::/64"}]],
            "routes":[{"dst":"0.0.0.0/0"}],"dataDir":"/d"},
            "RuntimeConfig":{"ipRanges":[[{"subnet":"10.1.0.0/24"}]],"ips":["10.1.0.5/24"]},
            "args":{"cni":{"ips":["10.3.0.9"]}}}"#,
    )
    .unwrap();
    let texts: Vec<_> = conf.sets.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "10.1.0.1-10.1.0.254",
            "10.2.0.10-10.2.0.20",
            "10.3.0.1-10.3.0.254",
            "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff"
        ]
    );
    assert!(conf.sets[1].is_gateway("10.2.0.3".parse().unwrap()));
    assert_eq!(conf.requested, ["10.3.0.9", "10.1.0.5"].map(|t| t.parse::<IpAddr>().unwrap()));
    assert_eq!((conf.directory.to_str(), conf.routes.len()), (Some("/d/n"), 1));
}

#[test]
fn bad_values_name_their_key() {
    for (text, code, wanted) in [
        (r#"{}"#, 7, "IPAM config missing 'ipam' key"),
        (r#"{"ipam":null}"#, 7, "IPAM config missing 'ipam' key"),
        (r#"{"ipam":[]}"#, 6, "key \"ipam\""),
        (r#"{"ipam":{}}"#, 7, "no IP ranges specified"),
        (r#"{"ipam":{"ranges":{}}}"#, 6, "key \"ipam.ranges\""),
        (r#"{"ipam":{"ranges":[{}]}}"#, 6, "key \"ipam.ranges[0]\""),
        (r#"{"ipam":{"ranges":[[]]}}"#, 7, "invalid range set 0: empty range set"),
        (r#"{"ipam":{"ranges":[[{}]]}}"#, 7, "no \"subnet\""),
        (r#"{"ipam":{"ranges":[[{"subnet":7}]]}}"#, 6, "key \"ipam.ranges[0][0].subnet\""),
        (r#"{"ipam":{"ranges":[[{"subnet":"10.0.0.0/33"}]]}}"#, 6, "the prefix length must be 0–32"),
        (
            r#"{"ipam":{"ranges":[[{"subnet":"10.0.0.0/8","gateway":"x"}]]}}"#,
            6,
            "[0][0].gateway\": invalid IP",
        ),
        (r#"{"ipam":{"subnet":"10.0.0.0/8","routes":[{"dst":"x"}]}}"#, 6, "key \"ipam.routes[0].dst\""),
        (r#"{"ipam":{"subnet":"10.0.0.0/8","dataDir":7}}"#, 6, "key \"ipam.dataDir\""),
        (r#"{"ipam":{"subnet":"10.0.0.0/8","dataDir":"a\u0000b"}}"#, 7, "ipam.dataDir"),
        (r#"{"ipam":{"subnet":"10.0.0.0/8","resolvConf":7}}"#, 6, "key \"ipam.resolvConf\""),
        (
            r#"{"ipam":{"subnet":"10.0.0.0/8"},"runtimeConfig":{"ips":["x"]}}"#,
            6,
            "key \"runtimeConfig.ips[0]\"",
        ),
        (r#"{"ipam":{"subnet":"10.0.0.0/8"},"args":{"cni":{"ips":[1]}}}"#, 6, "key \"args.cni.ips[0]\""),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code.0, code, "{text}: {error}");
        assert!(error.to_string().contains(wanted), "{text}: {error}");
    }
}

#[test]
fn old_versions_hold_one_address_per_family() {
    let text = r#"{"ipam":{"ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"2001:db8::/64"}]]}}"#;
    let more = r#"{"ipam":{"ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.2.0.0/24"}]]}}"#;
    assert!(Conf::read(&network(SpecVersion::V0_2_0, text)).is_ok());
    assert!(Conf::read(&network(SpecVersion::V0_3_0, more)).is_ok());
    let error = Conf::read(&network(SpecVersion::V0_2_0, more)).unwrap_err();
    assert_eq!(error.msg, "CNI version 0.2.0 does not support more than 1 address per family");
}

#[test]
fn the_directory_is_found_in_a_configuration_that_is_otherwise_broken() {
    for (text, wanted) in [
        (r#"{"ipam":{"ranges":7,"dataDir":"/d"}}"#, "/d/n"),
        (r#"{"ipam":7}"#, "/var/lib/cni/networks/n"),
        (r#"{"ipam":{"datadir":""}}"#, "/var/lib/cni/networks/n"),
        (r#"{}"#, "/var/lib/cni/networks/n"),
    ] {
        let mut network = network(SpecVersion::V0_1_0, text);
        network.args = CniArgs::new("garbage");
        assert_eq!(directory(&network).unwrap().to_str(), Some(wanted), "{text}");
    }
}

#[test]
fn resolv_conf_must_be_a_file_that_can_be_read() {
    let conf = |path: &str| {
        read(&format!(r#"{{"ipam":{{"subnet":"10.0.0.0/8","resolvConf":"{path}"}}}}"#)).unwrap().dns()
    };
    assert_eq!(conf("").unwrap(), Dns::default());
    assert_eq!(conf("/nonexistent/resolv.conf").unwrap_err().code.0, 5);
    assert_eq!(conf("/").unwrap_err().code.0, 7);
}
