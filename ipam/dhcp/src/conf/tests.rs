//! Good and bad configurations.

use super::*;

fn conf(ipam: &str, args: &str) -> Result<Wanted> {
    read(&Json::parse(format!("{{\"ipam\":{ipam}}}").as_bytes()).unwrap(), args)
}

fn provided(ipam: &str, args: &str) -> String {
    let text = |p: Provided| format!("{}={}", p.option, String::from_utf8(p.value).unwrap());
    conf(ipam, args).unwrap().provide.into_iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn requested_options_come_behind_the_default_ones_unless_those_are_skipped() {
    for (ipam, wanted) in [
        ("{}", &DEFAULT_REQUEST[..]),
        (r#"{"request":[]}"#, &DEFAULT_REQUEST),
        (r#"{"request":[{"option":"42"},{"option":"routers"}]}"#, &[1, 121, 3, 33, 6, 15, 119, 26, 42]),
        (r#"{"request":[{"option":"42"},{"skipDefault":true,"option":"subnet-mask"}]}"#, &[42, 1]),
        // An entry that names none asks for none, whatever it skips.
        (r#"{"request":[{"skipDefault":true},{"skipDefault":false},{},{"option":"42"}]}"#, &[42]),
        (r#"{"request":[{"SkipDefault":true}]}"#, &BARE_REQUEST),
    ] {
        assert_eq!(conf(ipam, "").unwrap().request, wanted, "{ipam}");
    }
}

#[test]
fn values_come_from_the_configuration_or_the_arguments() {
    let ipam = r#"{"provide":[
        {"option":"host-name","value":"static","fromArg":"K8S_POD_NAME"},
        {"option":"60","value":"vendor"}, {"option":"77","fromArg":"CLASS"}]}"#;
    assert_eq!(provided(ipam, ""), "12=static 60=vendor");
    assert_eq!(provided(ipam, "x;K8S_POD_NAME=a;K8S_POD_NAME=b;CLASS=c=d"), "12=b 60=vendor 77=c=d");
    assert_eq!(provided("{}", "IgnoreUnknown=1;K8S_POD_NAME=web-0"), "12=web-0");
    assert_eq!(provided(r#"{"provide":[{"option":"12","value":"mine"}]}"#, "K8S_POD_NAME=web-0"), "12=mine");
    assert_eq!(
        provided(r#"{"provide":[{"option":"12","value":"a"},{"option":"12","value":"b"}]}"#, ""),
        "12=b"
    );
}

#[test]
fn bad_values_name_their_key() {
    let long = "x".repeat(256);
    let many = vec![format!("{{\"option\":\"200\",\"value\":\"{}\"}}", "x".repeat(250)); 1].join("");
    for (ipam, args, code, wanted) in [
        (
            r#"{"request":[{"option":"domain"}]}"#.to_owned(),
            "",
            7,
            "ipam.request[0].option\": no DHCP option \"domain\"",
        ),
        (r#"{"request":[{"option":"256"}]}"#.to_owned(), "", 7, "no DHCP option \"256\""),
        (r#"{"request":[{"option":"+1"}]}"#.to_owned(), "", 7, "no DHCP option"),
        (r#"{"request":[{"option":3}]}"#.to_owned(), "", 6, "ipam.request[0].option"),
        (
            r#"{"provide":[{"option":"53","value":"x"}]}"#.to_owned(),
            "",
            7,
            "the daemon itself sets option 53",
        ),
        (format!(r#"{{"provide":[{{"option":"12","value":"{long}"}}]}}"#), "", 7, "longer than 255 bytes"),
        (
            r#"{"provide":[{"option":"12","fromArg":"A"}]}"#.to_owned(),
            &format!("A={long}"),
            7,
            "ipam.provide[0]",
        ),
        (r#"{"priority":-1}"#.to_owned(), "", 7, "ipam.priority"),
        (r#"{"daemonSocketPath":"run/dhcp.sock"}"#.to_owned(), "", 7, "ipam.daemonSocketPath"),
        ("null".to_owned(), "", 7, "IPAM config missing 'ipam' key"),
        ("[]".to_owned(), "", 6, "ipam"),
    ] {
        let error = conf(&ipam, args).unwrap_err();
        assert_eq!(error.code.0, code, "{ipam}: {error}");
        assert!(error.to_string().contains(wanted), "{ipam}: {error}");
    }
    let entries: Vec<_> = (200..204).map(|n| many.replace("200", &n.to_string())).collect();
    let error = conf(&format!(r#"{{"provide":[{}]}}"#, entries.join(",")), "").unwrap_err();
    assert!(error.msg.contains("over 1000 bytes"), "{error}");
}

#[test]
fn the_socket_s_path_is_found_in_any_configuration() {
    for (text, wanted) in [
        (r#"{"ipam":{"daemonsocketpath":"/x.sock"}}"#, "/x.sock"),
        (r#"{"ipam":{"daemonSocketPath":7}}"#, SOCKET),
        (r#"{"ipam":[]}"#, SOCKET),
        ("{}", SOCKET),
    ] {
        assert_eq!(socket_path(&Json::parse(text.as_bytes()).unwrap()), PathBuf::from(wanted), "{text}");
    }
}
