//! Masquerade with the nftables backend, read back with `nft`.

use crate::host::{attachment, cidr, elements, enter, nft, objects, ruleset, traffic};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, add, check, remove, status};
use cni_types::Code;

const NFT: Backend = Backend::Nftables;

#[test]
fn the_listing_shows_what_was_meant_and_can_be_loaded_again() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("unit-test", "one", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("fd00:1::5/64")];
    add(&filter, NFT, &id, &ips).unwrap();
    let golden = r#"table inet cni_masquerade {
	set pods4_16 {
		type ipv4_addr . ipv4_addr
		elements = { 10.1.0.5 . 10.1.0.0 comment "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one" }
	}

	set pods6_64 {
		type ipv6_addr . ipv6_addr
		elements = { fd00:1::5 . fd00:1:: comment "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one" }
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		ip saddr . ip saddr & 255.255.0.0 @pods4_16 ip saddr . ip daddr & 255.255.0.0 != @pods4_16 masquerade
		ip6 saddr . ip6 saddr & ffff:ffff:ffff:ffff:: @pods6_64 ip6 saddr . ip6 daddr & ffff:ffff:ffff:ffff:: != @pods6_64 masquerade
	}
}
"#;
    assert_eq!(ruleset(), golden);
    nft("flush ruleset");
    nft(golden);
    check(&filter, NFT, &id, &ips).unwrap();
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(elements(), []);
}

#[test]
fn adding_again_changes_nothing_but_what_differs() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("10.1.0.6/24"), cidr("10.1.0.5/16"), cidr("10.2.0.7/16")];
    add(&filter, NFT, &id, &ips).unwrap();
    let once = ruleset();
    assert_eq!(elements().len(), 3);
    assert_eq!(objects("rule").len(), 4);
    add(&filter, NFT, &id, &ips).unwrap();
    assert_eq!(ruleset(), once);
    add(&filter, NFT, &id, &[cidr("10.1.0.5/24")]).unwrap();
    let keys: Vec<String> = elements().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["10.1.0.5 10.1.0.0", "10.1.0.6 10.1.0.0", "10.2.0.7 10.2.0.0"]);
    check(&filter, NFT, &id, &[cidr("10.1.0.5/24")]).unwrap();
    check(&filter, NFT, &id, &[cidr("10.1.0.5/16")]).unwrap_err();
}

#[test]
fn removing_needs_no_hint_and_bears_wrong_ones() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let (id, other) = (attachment("net", "c1", "eth0"), attachment("net", "c2", "eth0"));
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(ruleset(), "", "removing makes nothing");
    add(&filter, NFT, &other, &[cidr("10.1.0.9/16")]).unwrap();
    add(&filter, NFT, &id, &[cidr("10.1.0.4/16"), cidr("fd00::4/64")]).unwrap();
    remove(&filter, &id, &[]).unwrap();
    let without = ruleset();
    assert_eq!(elements().len(), 1);
    let hints: [&[&str]; 4] =
        [&["10.1.0.5", "fd00::5"], &["10.1.0.5"], &["10.1.0.9", "1.2.3.4"], &["::", "10.1.0.9", "fd00::5"]];
    for texts in hints {
        let ips = [cidr("10.1.0.5/16"), cidr("fd00::5/64")];
        add(&filter, NFT, &id, &ips[..texts.len().min(2)]).unwrap();
        let hints: Vec<_> = texts.iter().map(|text| text.parse().unwrap()).collect();
        for _ in 0..2 {
            remove(&filter, &id, &hints).unwrap();
            if texts != ["10.1.0.5"] {
                assert_eq!(ruleset(), without, "{texts:?}");
            }
        }
        remove(&filter, &id, &[]).unwrap();
        assert_eq!(ruleset(), without, "{texts:?}");
    }
}

#[test]
fn check_names_what_is_missing_and_add_repairs_it() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("fd00::5/64")];
    for (mutation, words) in [
        (
            "flush ruleset",
            &["rule 1 of 2 is missing", "no element for 10.1.0.5", "no element for fd00::5"][..],
        ),
        (
            "flush chain inet cni_masquerade postrouting",
            &["postrouting is not as it was made", "rule 1 of 4 is missing"],
        ),
        ("flush set inet cni_masquerade pods6_64", &["pods6_64 has no element for fd00::5"]),
        ("flush table inet cni_masquerade", &["rule 1 of 4 is missing"]),
    ] {
        add(&filter, NFT, &id, &ips).unwrap();
        check(&filter, NFT, &id, &ips).unwrap();
        let intact = ruleset();
        nft(mutation);
        let error = check(&filter, NFT, &id, &ips).unwrap_err();
        assert_eq!(error.code, Code::CHECK);
        assert!(words.iter().all(|word| error.msg.contains(word)), "{mutation}: {error}");
        add(&filter, NFT, &id, &ips).unwrap();
        assert_eq!(ruleset(), intact, "{mutation}");
    }
}

#[test]
fn one_lost_rule_is_noticed_and_repaired() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("fd00::5/64")];
    add(&filter, NFT, &id, &ips).unwrap();
    let intact = ruleset();
    for rule in 0..4 {
        check(&filter, NFT, &id, &ips).unwrap();
        let handle = objects("rule")[rule]["handle"].clone();
        nft(&format!("delete rule inet cni_masquerade postrouting handle {handle}"));
        let error = check(&filter, NFT, &id, &ips).unwrap_err();
        assert_eq!(error.code, Code::CHECK, "rule {rule}");
        assert!(error.msg.contains("chain inet cni_masquerade postrouting"), "rule {rule}: {error}");
        add(&filter, NFT, &id, &ips).unwrap();
        assert_eq!(ruleset(), intact, "rule {rule}");
    }
}

#[test]
fn the_thousandth_pod_costs_what_the_first_did() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let ip = [cidr("10.1.0.1/16")];
    let id = attachment("net", "measured", "eth0");
    let cost = || {
        let first = traffic(&filter, || add(&filter, NFT, &id, &ip).unwrap());
        (first, traffic(&filter, || remove(&filter, &id, &[ip[0].ip()]).unwrap()))
    };
    cost();
    let empty = cost();
    for n in 0..1000 {
        let ip = cidr(&format!("10.1.{}.{}/16", 1 + n / 250, n % 250));
        add(&filter, NFT, &attachment("net", &format!("c{n}"), "eth0"), &[ip]).unwrap();
    }
    assert_eq!(cost(), empty);
    assert!(empty.0.0 <= 8 && empty.1.0 <= 12, "messages for ADD and DEL: {empty:?}");
}

#[test]
fn names_cannot_break_out_of_a_comment() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let id = attachment(&"n".repeat(255), &"c".repeat(255), "\";}flush\\");
    add(&filter, NFT, &id, &[cidr("10.1.0.5/16")]).unwrap();
    let listed = ruleset();
    nft("flush ruleset");
    nft(&listed);
    assert_eq!(ruleset(), listed);
    assert_eq!(elements()[0].1.len(), 128);
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(elements(), []);
}

#[test]
fn status_changes_nothing() {
    if !enter(&["nft"]) {
        return;
    }
    status(&Filter::new(), NFT).unwrap();
    assert_eq!(ruleset(), "");
}
