//! The MAC spoof check, read back with `nft`.

use crate::host::{attachment, enter, nft, ruleset, run};
use cni_filter::Filter;
use cni_filter::spoof::{add, check, collect, remove};
use cni_types::{AttachmentId, Code, IfName, Mac, NetworkName, Stale};

const EMPTY: &str = "table bridge nat {
	chain PREROUTING {
		type filter hook prerouting priority dstnat; policy accept;
	}
}
";

fn port() -> IfName {
    IfName::new("veth0123abcd").unwrap()
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// The commands the reference gives to `nft`.
fn reference(id: &str, mac: &str) -> String {
    format!(
        "add table bridge nat
         add chain bridge nat PREROUTING {{ type filter hook prerouting priority -300; policy accept; }}
         add chain bridge nat cni-br-iface-{id}
         add chain bridge nat cni-br-iface-{id}-mac
         add rule bridge nat PREROUTING iifname \"veth0123abcd\" jump cni-br-iface-{id} comment \"macspoofchk-{id}\"
         add rule bridge nat cni-br-iface-{id} jump cni-br-iface-{id}-mac comment \"macspoofchk-{id}\"
         add rule bridge nat cni-br-iface-{id}-mac ether saddr {mac} return comment \"macspoofchk-{id}\"
         add rule bridge nat cni-br-iface-{id}-mac drop comment \"macspoofchk-{id}\"\n"
    )
}

fn without_chain_comments() -> String {
    let text = ruleset();
    text.lines().filter(|line| !line.starts_with("\t\tcomment ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_rules_are_those_of_the_reference() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    for _ in 0..2 {
        add(&filter, &id, &port(), mac(1)).unwrap();
    }
    let ours = without_chain_comments();
    check(&filter, &id, &port(), mac(1)).unwrap();
    nft("flush ruleset");
    nft(&reference("c1-eth0", "02:00:00:00:00:01"));
    assert_eq!(ruleset(), ours);
    check(&filter, &id, &port(), mac(1)).unwrap();
    for _ in 0..2 {
        remove(&filter, &id).unwrap();
        assert_eq!(ruleset(), EMPTY);
    }
}

#[test]
fn a_new_address_or_port_replaces_the_old_one() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let (id, other) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
    add(&filter, &id, &IfName::new("old").unwrap(), mac(1)).unwrap();
    add(&filter, &id, &port(), mac(2)).unwrap();
    assert!(!ruleset().contains("old") && !ruleset().contains("02:00:00:00:00:01"), "{}", ruleset());
    add(&filter, &other, &IfName::new("veth1").unwrap(), mac(3)).unwrap();
    check(&filter, &id, &port(), mac(2)).unwrap();
    remove(&filter, &id).unwrap();
    check(&filter, &other, &IfName::new("veth1").unwrap(), mac(3)).unwrap();
}

#[test]
fn check_names_what_is_missing_and_add_repairs_it() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    for (mutation, words) in [
        ("flush ruleset", "PREROUTING has no jump"),
        ("delete table bridge nat", "PREROUTING has no jump"),
        ("flush chain bridge nat PREROUTING", "for port veth0123abcd"),
        (
            "flush chain bridge nat cni-br-iface-c1-eth0",
            "cni-br-iface-c1-eth0 is not as it was made: rule 1 of 1",
        ),
        ("flush chain bridge nat cni-br-iface-c1-eth0-mac", "c1-eth0-mac is not as it was made: rule 1 of 2"),
        ("add rule bridge nat cni-br-iface-c1-eth0-mac accept", "c1-eth0-mac is not as it was made: rule 3"),
        // Everything that was there is there.
        (
            "insert rule bridge nat cni-br-iface-c1-eth0-mac accept",
            "c1-eth0-mac is not as it was made: rule 1",
        ),
        ("insert rule bridge nat cni-br-iface-c1-eth0 accept", "c1-eth0 is not as it was made: rule 1"),
        (
            "flush chain bridge nat PREROUTING; \
             add rule bridge nat PREROUTING iifname veth0123abcd ether type arp jump cni-br-iface-c1-eth0",
            "PREROUTING has no jump",
        ),
    ] {
        add(&filter, &id, &port(), mac(1)).unwrap();
        check(&filter, &id, &port(), mac(1)).unwrap();
        let intact = ruleset();
        nft(mutation);
        let error = check(&filter, &id, &port(), mac(1)).unwrap_err();
        assert_eq!(error.code, Code::CHECK);
        assert!(error.msg.contains(words), "{mutation}: {error}");
        add(&filter, &id, &port(), mac(1)).unwrap();
        assert_eq!(ruleset(), intact, "{mutation}");
    }
    check(&filter, &id, &port(), mac(9)).unwrap_err();
    check(&filter, &id, &IfName::new("veth9").unwrap(), mac(1)).unwrap_err();
}

#[test]
fn removing_bears_partial_states_and_company() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    remove(&filter, &id).unwrap();
    assert_eq!(ruleset(), "", "removing makes nothing");
    for mutation in ["flush chain bridge nat PREROUTING", "flush table bridge nat", "delete table bridge nat"]
    {
        add(&filter, &id, &port(), mac(1)).unwrap();
        nft(mutation);
        remove(&filter, &id).unwrap();
        assert!(!ruleset().contains("cni-br"), "{mutation}");
    }
    nft(&reference("c1-eth0", "02:00:00:00:00:01"));
    nft("add rule bridge nat PREROUTING counter comment \"foreign\"");
    nft("flush chain bridge nat cni-br-iface-c1-eth0; delete chain bridge nat cni-br-iface-c1-eth0-mac");
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| remove(&Filter::new(), &id).unwrap());
        }
    });
    assert_eq!(ruleset().matches("foreign").count(), 1);
    assert!(!ruleset().contains("cni-br"), "{}", ruleset());
}

#[test]
fn odd_and_long_names_work_and_the_reference_form_of_them_is_removed() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    for (container, ifname) in
        [("c".repeat(64), "eth0"), ("c".repeat(255), "eth0"), ("c1".to_owned(), "\";}flush{")]
    {
        let id = attachment(&"n".repeat(255), &container, ifname);
        add(&filter, &id, &port(), mac(1)).unwrap();
        add(&filter, &id, &port(), mac(1)).unwrap();
        check(&filter, &id, &port(), mac(1)).unwrap();
        let listed = ruleset();
        nft("flush ruleset");
        nft(&listed);
        assert_eq!(ruleset(), listed);
        remove(&filter, &id).unwrap();
        assert_eq!(ruleset(), EMPTY);
    }
    let long = "c".repeat(106);
    nft(&reference(&format!("{long}-eth0"), "02:00:00:00:00:01"));
    let id = attachment("net", &long, "eth0");
    check(&filter, &id, &port(), mac(1)).unwrap();
    remove(&filter, &id).unwrap();
    assert_eq!(ruleset(), EMPTY);
}

#[test]
fn collect_keeps_the_valid_and_what_it_cannot_attribute() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let ids: Vec<AttachmentId> = [("net", "a", "eth0"), ("net", "a", "eth1"), ("net2", "b", "eth0")]
        .map(|(net, container, ifname)| attachment(net, container, ifname))
        .into();
    for id in &ids {
        add(&filter, id, &port(), mac(1)).unwrap();
    }
    nft(&reference("r-eth0", "02:00:00:00:00:01"));
    let network = NetworkName::new("net").unwrap();
    collect(&filter, &Stale::new(&network, &ids[1..2])).unwrap();
    for (id, kept) in ids.iter().zip([false, true, true]) {
        assert_eq!(check(&filter, id, &port(), mac(1)).is_ok(), kept, "{id:?}");
    }
    check(&filter, &attachment("net", "r", "eth0"), &port(), mac(1)).unwrap();
    collect(&filter, &Stale::all(&network)).unwrap();
    remove(&filter, &ids[2]).unwrap();
    remove(&filter, &attachment("net", "r", "eth0")).unwrap();
    assert_eq!(ruleset(), EMPTY);
    run("nft", &["delete", "table", "bridge", "nat"]);
    collect(&filter, &Stale::all(&network)).unwrap();
    assert_eq!(ruleset(), "");
}
