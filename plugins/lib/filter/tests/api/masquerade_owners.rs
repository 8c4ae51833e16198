//! Masquerade with the nftables backend: whose elements are touched, and whose are not.

use crate::host::{attachment, cidr, elements, enter, nft, objects, ruleset, run};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, add, check, collect, remove};
use cni_types::{NetworkName, Stale};

const NFT: Backend = Backend::Nftables;

#[test]
fn an_address_of_a_dead_owner_is_taken_over_and_its_late_removal_spares_the_new_one() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let (dead, new) = (attachment("net", "dead", "eth0"), attachment("net", "new", "eth0"));
    for prefix in [16, 24] {
        let old = cidr("10.1.0.5/16");
        let ip = cidr(&format!("10.1.0.5/{prefix}"));
        add(&filter, NFT, &dead, &[old]).unwrap();
        let error = check(&filter, NFT, &new, &[old]).unwrap_err();
        assert!(
            error.msg.contains("belongs to another attachment") && error.msg.contains("id: dead"),
            "{error}"
        );
        add(&filter, NFT, &new, &[ip]).unwrap();
        assert_eq!(elements(), [("10.1.0.5 10.1.0.0".to_owned(), new.tag())]);
        for hints in [&[][..], &[ip.ip()]] {
            remove(&filter, &dead, hints).unwrap();
        }
        check(&filter, NFT, &new, &[ip]).unwrap();
        remove(&filter, &new, &[ip.ip()]).unwrap();
        assert_eq!(elements(), []);
    }
}

#[test]
fn parallel_adds_and_removes_all_succeed() {
    if !enter(&["nft"]) {
        return;
    }
    let all = |act: &(dyn Fn(usize) + Sync)| {
        std::thread::scope(|scope| {
            for n in 0..20 {
                scope.spawn(move || act(n));
            }
        });
    };
    let pod = |n: usize| {
        (attachment("net", &format!("c{n}"), "eth0"), [cidr(&format!("10.1.0.{}/{}", n + 2, 16 + n % 3))])
    };
    all(&|n| add(&Filter::new(), NFT, &pod(n).0, &pod(n).1).unwrap());
    assert_eq!(elements().len(), 20);
    assert_eq!(objects("rule").len(), 5, "{}", ruleset());
    all(&|_| remove(&Filter::new(), &pod(7).0, &[pod(7).1[0].ip()]).unwrap());
    assert_eq!(elements().len(), 19);
    all(&|n| remove(&Filter::new(), &pod(n).0, &[]).unwrap());
    assert_eq!(elements(), []);
}

#[test]
fn collect_removes_the_stale_of_one_network_only() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = Filter::new();
    let ids: Vec<_> =
        [("net", "a", "eth0"), ("net", "a", "eth1"), ("net", "b", "eth0"), ("net2", "c", "eth0")]
            .map(|(net, container, ifname)| attachment(net, container, ifname))
            .into();
    for (n, id) in ids.iter().enumerate() {
        add(&filter, NFT, id, &[cidr(&format!("10.1.0.{n}/16")), cidr(&format!("fd00::{n}/64"))]).unwrap();
    }
    collect(&filter, &Stale::new(&NetworkName::new("net").unwrap(), &[ids[1].clone()])).unwrap();
    let owners: Vec<String> = elements().into_iter().map(|(_, owner)| owner).collect();
    let kept = [ids[1].tag(), ids[3].tag(), ids[1].tag(), ids[3].tag()];
    assert_eq!(owners, kept);
    collect(&filter, &Stale::new(&NetworkName::new("net2").unwrap(), &[])).unwrap();
    collect(&filter, &Stale::new(&NetworkName::new("net").unwrap(), &[])).unwrap();
    assert_eq!(elements(), []);
}

#[test]
fn foreign_tables_are_left_alone() {
    if !enter(&["nft"]) {
        return;
    }
    nft("table inet foreign {
           set s { type ipv4_addr; elements = { 10.1.0.5 }; }
           chain c { type nat hook postrouting priority 100; ip saddr 10.1.0.5 masquerade comment \"mine\"; }
         }");
    let foreign = ruleset();
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    add(&filter, NFT, &id, &[cidr("10.1.0.5/16")]).unwrap();
    remove(&filter, &id, &[]).unwrap();
    collect(&filter, &Stale::all(&id.network)).unwrap();
    run("nft", &["delete", "table", "inet", "cni_masquerade"]);
    assert_eq!(ruleset(), foreign);
}
