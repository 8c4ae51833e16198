//! `CNI_ARGS`: as strict as the reference.

use cni_types::{CniArgs, Code};

const BAD: [&str; 9] =
    ["IP", "IP=1;", ";IP=1", "IP=a=b", "ip=1", "X=1", "IgnoreUnknown=maybe", "X=1;IgnoreUnknown=0", "=;="];

#[test]
fn pairs_are_read_as_the_reference_reads_them() {
    for (text, mac, ip) in [
        ("", None, None),
        ("IP=1;IP=2;MAC=m", Some("m"), Some("2")),
        ("MAC=", Some(""), None),
        ("K8S_POD_NAME=p;IgnoreUnknown=1;IP=1", None, Some("1")),
        ("IgnoreUnknown=TRUE;x=y", None, None),
        ("IgnoreUnknown=false;IP=1", None, Some("1")),
    ] {
        let wanted = [mac, ip].map(|v| v.map(String::from));
        assert_eq!(CniArgs::new(text).values(["MAC", "IP"]).unwrap(), wanted, "{text}");
    }
    for bad in BAD {
        let error = CniArgs::new(bad).values(["MAC", "IP"]).unwrap_err();
        assert_eq!(error.code, Code::ENVIRONMENT, "{bad}");
        assert!(error.msg.starts_with("CNI_ARGS: ") && error.details.contains('"'), "{bad}: {error}");
    }
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    let error = CniArgs::new("FOO=1;IP=2").values(["MAC", "IP"]).unwrap_err();
    assert!(
        error.msg.contains("FOO=1") && error.msg.contains("MAC, IP") && !error.msg.contains("IP=2"),
        "{error}"
    );
    let error = CniArgs::new("A=1;".repeat(30_000) + "B=2").values(["MAC"]).unwrap_err();
    assert!(error.to_string().len() < 1000);
}
