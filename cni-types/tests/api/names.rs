//! Names that become paths, chains and comments: what is refused, and with which code.

use cni_types::{AttachmentId, Code, ContainerId, IfName, NetworkName, PluginName, excerpt, hex};

#[test]
fn names_that_could_leave_their_directory_are_refused() {
    let long = "a".repeat(300);
    for bad in ["", "../x", "..", "a/b", "/", "-a", ".a", "_a", "a b", "a\0", "a\n", "ä", long.as_str()] {
        assert_eq!(ContainerId::new(bad).unwrap_err().code, Code::ENVIRONMENT, "{bad:?}");
        assert_eq!(NetworkName::new(bad).unwrap_err().code, Code::CONFIG, "{bad:?}");
    }
    for good in ["a", "0", "A-b_c.d", &"a".repeat(255)] {
        assert_eq!(ContainerId::new(good).unwrap().as_str(), good);
        assert_eq!(NetworkName::new(good).unwrap().as_str(), good);
    }
}

#[test]
fn interface_names_follow_the_kernel() {
    for bad in [
        "",
        ".",
        "..",
        "a/b",
        "a:b",
        "a b",
        "a\tb",
        "a\u{85}b",
        "a\u{2003}b",
        "0123456789abcdef",
        "a\0b",
        "eth%d",
        "ääääääää",
    ] {
        assert_eq!(IfName::new(bad).unwrap_err().code, Code::ENVIRONMENT, "{bad:?}");
    }
    for good in ["eth0", "0123456789abcde", "a.b", "-", "..a", "äääääää", "\"quoted\""] {
        assert_eq!(IfName::new(good).unwrap().as_str(), good);
    }
}

#[test]
fn plugin_names_are_one_component() {
    for bad in ["", ".", "..", "../../bin/reboot", "a/b", "/bin/sh", "a\0"] {
        assert_eq!(PluginName::new(bad).unwrap_err().code, Code::CONFIG, "{bad:?}");
    }
    assert_eq!(PluginName::new("").unwrap_err().msg, "no plugin name provided");
    assert_eq!(PluginName::new("host-local").unwrap().as_str(), "host-local");
}

#[test]
fn an_error_quotes_a_bad_name_short_and_escaped() {
    let error = ContainerId::new(&format!("\u{1b}[2J\n{}", "x".repeat(100_000))).unwrap_err();
    assert!(error.details.len() < 200 && !error.details.contains(['\u{1b}', '\n']), "{error}");
    assert_eq!(excerpt("a\"b"), r#""a\"b""#);
    assert_eq!(excerpt(&"ä".repeat(80)), format!("\"{}\"", "ä".repeat(80)));
    assert_eq!(excerpt(&"ä".repeat(81)), format!("\"{}…\"", "ä".repeat(80)));
}

pub(crate) fn id(network: &str, container: &str, ifname: &str) -> AttachmentId {
    AttachmentId {
        network: NetworkName::new(network).unwrap(),
        container_id: ContainerId::new(container).unwrap(),
        ifname: IfName::new(ifname).unwrap(),
    }
}

#[test]
fn hashes_match_the_reference_vectors() {
    assert_eq!(
        id("unit-test", "one", "eth0").tag(),
        "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one"
    );
    assert_eq!(id("mynet", "dummy", "eth0").container_hash(24), "1b29d9511ed2bb3134d925d5");
    assert_eq!(id("test", "1234", "x").container_hash(24), "2bbe0c48b91a7d1b8a6753a8");
    assert_eq!(hex("", 1000).len(), 128);
}

#[test]
fn a_tag_never_exceeds_an_nftables_comment_and_holds_no_quote() {
    let long = "n".repeat(255);
    for ifname in ["eth0", "äthäthäth", "a\"b"] {
        for network in ["n", &long[..60], &long] {
            let (one, two) = (id(network, &"c".repeat(255), ifname), id(network, &"c".repeat(254), ifname));
            let tag = one.tag();
            assert!(tag.len() <= 128 && !tag.contains('"'), "{tag}");
            assert!(tag.starts_with(&one.tag_prefix()) && tag.starts_with(&hex(network, 16)), "{tag}");
            assert!(AttachmentId::is_tag(&tag) && !AttachmentId::is_tag(&tag[1..]), "{tag}");
            assert_ne!(tag, two.tag(), "cut tags still differ");
        }
    }
}
