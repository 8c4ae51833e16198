//! Masquerade with the iptables backend, read back with `iptables-save`.

use std::process::{Command, Stdio};

use crate::host::{attachment, cidr, enter, run, saved, use_legacy_iptables};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, add, check, collect, remove, status};
use cni_types::{Code, NetworkName, Stale};

const IPT: Backend = Backend::Iptables;
const TOOLS: &[&str] = &["iptables-restore", "iptables-legacy-restore", "ip6tables-save", "nft"];

/// Runs a test body twice: on a host with iptables-nft and on one with iptables-legacy.
fn on_both(body: fn()) {
    if enter(TOOLS) {
        body();
    }
    if enter(TOOLS) {
        use_legacy_iptables();
        assert!(run("iptables", &["-V"]).contains("legacy"));
        body();
    }
}

fn both() -> (Vec<String>, Vec<String>) {
    (saved("iptables-save"), saved("ip6tables-save"))
}

#[test]
fn the_rules_are_those_of_the_reference() {
    on_both(|| {
        let filter = Filter::new();
        let id = attachment("mynet", "dummy", "eth0");
        let ips = [cidr("10.1.0.2/16"), cidr("10.2.0.2/24"), cidr("fd00::2/64")];
        add(&filter, IPT, &id, &ips).unwrap();
        let comment = r#"-m comment --comment "name: \"mynet\" id: \"dummy\"""#;
        let chain = "CNI-1b29d9511ed2bb3134d925d5";
        assert_eq!(
            saved("iptables-save"),
            [
                format!(":{chain} - [0:0]"),
                format!("-A POSTROUTING -s 10.1.0.2/32 {comment} -j {chain}"),
                format!("-A POSTROUTING -s 10.2.0.2/32 {comment} -j {chain}"),
                format!("-A {chain} -d 10.1.0.0/16 {comment} -j ACCEPT"),
                format!("-A {chain} -d 10.2.0.0/24 {comment} -j ACCEPT"),
                format!("-A {chain} ! -d 224.0.0.0/4 {comment} -j MASQUERADE"),
            ]
        );
        assert_eq!(
            saved("ip6tables-save"),
            [
                format!(":{chain} - [0:0]"),
                format!("-A POSTROUTING -s fd00::2/128 {comment} -j {chain}"),
                format!("-A {chain} -d fd00::/64 {comment} -j ACCEPT"),
                format!("-A {chain} ! -d ff00::/8 {comment} -j MASQUERADE"),
            ]
        );
        let once = both();
        add(&filter, IPT, &id, &ips).unwrap();
        assert_eq!(both(), once, "adding again");
        check(&filter, IPT, &id, &ips).unwrap();
        // The reference deletes by this very text.
        let text =
            ["-t", "nat", "-C", "POSTROUTING", "-s", "10.1.0.2", "-j", chain, "-m", "comment", "--comment"];
        run("iptables", &[&text[..], &["name: \"mynet\" id: \"dummy\""]].concat());
        for _ in 0..2 {
            remove(&filter, &id, &[]).unwrap();
            assert_eq!(both(), (vec![], vec![]));
        }
    });
}

#[test]
fn foreign_rules_and_other_containers_stay() {
    on_both(|| {
        let filter = Filter::new();
        run("iptables", &["-t", "nat", "-A", "POSTROUTING", "-s", "10.1.0.2", "-j", "RETURN"]);
        run("iptables", &["-t", "nat", "-N", "CNI-foreign"]);
        let before = both();
        let (id, other) = (attachment("net", "c1", "eth0"), attachment("net", "c2", "eth0"));
        add(&filter, IPT, &other, &[cidr("10.1.0.3/16")]).unwrap();
        let with_other = both();
        add(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
        remove(&filter, &id, &["10.1.0.3".parse().unwrap()]).unwrap();
        assert_eq!(both(), with_other);
        remove(&filter, &other, &["10.1.0.3".parse().unwrap()]).unwrap();
        assert_eq!(both(), before);
    });
}

#[test]
fn two_attachments_of_a_container_share_the_chain_until_both_are_gone() {
    on_both(|| {
        let filter = Filter::new();
        let (eth0, eth1) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
        let (ip0, ip1) = (cidr("10.1.0.2/16"), cidr("10.2.0.2/16"));
        add(&filter, IPT, &eth0, &[ip0]).unwrap();
        add(&filter, IPT, &eth1, &[ip1]).unwrap();
        check(&filter, IPT, &eth0, &[ip0]).unwrap();
        check(&filter, IPT, &eth1, &[ip1]).unwrap();
        let rules = saved("iptables-save");
        let of = |target: &str| rules.iter().rposition(|rule| rule.ends_with(target)).unwrap();
        assert!(of("ACCEPT") < of("MASQUERADE"), "an ACCEPT behind MASQUERADE has no effect: {rules:?}");
        remove(&filter, &eth0, &[ip0.ip()]).unwrap();
        check(&filter, IPT, &eth1, &[ip1]).unwrap();
        check(&filter, IPT, &eth0, &[ip0]).unwrap_err();
        remove(&filter, &eth1, &[ip1.ip()]).unwrap();
        assert_eq!(both(), (vec![], vec![]));
    });
}

#[test]
fn twenty_parallel_removes_all_succeed() {
    on_both(|| {
        let id = attachment("net", "c1", "eth0");
        add(&Filter::new(), IPT, &id, &[cidr("10.1.0.2/16"), cidr("fd00::2/64")]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| remove(&Filter::new(), &id, &[]).unwrap());
            }
        });
        assert_eq!(both(), (vec![], vec![]));
    });
}

#[test]
fn collect_keeps_the_valid_and_removes_the_stale() {
    on_both(|| {
        let filter = Filter::new();
        let ids = [("net", "a"), ("net", "b"), ("net2", "c")].map(|(net, c)| attachment(net, c, "eth0"));
        let long = attachment("net", &"l".repeat(255), "eth0");
        let ip = |n: usize| [cidr(&format!("10.1.0.{}/16", n + 2)), cidr(&format!("fd00::{}/64", n + 2))];
        for (n, id) in ids.iter().enumerate() {
            add(&filter, IPT, id, &ip(n)).unwrap();
        }
        let without = both();
        add(&filter, IPT, &long, &ip(7)).unwrap();
        let network = NetworkName::new("net").unwrap();
        collect(&filter, &Stale::new(&network, &[ids[0].clone(), ids[1].clone()])).unwrap();
        assert_eq!(both(), without);
        collect(&filter, &Stale::new(&network, &[ids[1].clone()])).unwrap();
        check(&filter, IPT, &ids[0], &ip(0)).unwrap_err();
        check(&filter, IPT, &ids[1], &ip(1)).unwrap();
        check(&filter, IPT, &ids[2], &ip(2)).unwrap();
        // A crash of the reference can leave a chain that nothing jumps to.
        run("iptables", &["-t", "nat", "-D", "POSTROUTING", "2"]);
        collect(&filter, &Stale::new(&NetworkName::new("net2").unwrap(), &[])).unwrap();
        collect(&filter, &Stale::all(&network)).unwrap();
        assert_eq!(both(), (vec![], vec![]));
    });
}

#[test]
fn names_too_long_for_a_comment_work() {
    on_both(|| {
        let filter = Filter::new();
        let id = attachment(&"n".repeat(255), &"c".repeat(255), "eth0");
        add(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
        check(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
        collect(&filter, &Stale::new(&id.network, std::slice::from_ref(&id))).unwrap();
        check(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
        remove(&filter, &id, &[]).unwrap();
        assert_eq!(both(), (vec![], vec![]));
    });
}

#[test]
fn check_names_what_is_missing_and_add_repairs_it() {
    on_both(|| {
        let filter = Filter::new();
        let id = attachment("mynet", "dummy", "eth0");
        let ips = [cidr("10.1.0.2/16"), cidr("fd00::2/64")];
        let chain = "CNI-1b29d9511ed2bb3134d925d5";
        for (mutation, words) in [
            (vec!["-F", "POSTROUTING"], "iptables nat POSTROUTING has no jump"),
            (vec!["-D", chain, "1"], "has no ACCEPT rule for 10.1.0.0/16"),
            (vec!["-D", chain, "2"], "has no MASQUERADE rule"),
            (vec!["-F"], "has no MASQUERADE rule"),
        ] {
            add(&filter, IPT, &id, &ips).unwrap();
            let intact = both();
            run("iptables", &[&["-t", "nat"], &mutation[..]].concat());
            let error = check(&filter, IPT, &id, &ips).unwrap_err();
            assert_eq!(error.code, Code::CHECK);
            assert!(error.msg.contains(words), "{mutation:?}: {error}");
            add(&filter, IPT, &id, &ips).unwrap();
            assert_eq!(both(), intact, "{mutation:?}");
        }
        run("iptables", &["-t", "nat", "-F"]);
        run("iptables", &["-t", "nat", "-X"]);
        let error = check(&filter, IPT, &id, &ips).unwrap_err();
        assert!(error.msg.contains("iptables has no chain"), "{error}");
    });
}

#[test]
fn a_chain_of_the_other_iptables_is_removed_too() {
    if !enter(TOOLS) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    add(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
    use_legacy_iptables();
    add(&filter, IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(saved("iptables-legacy-save"), Vec::<String>::new());
    assert_eq!(saved("iptables-nft-save"), Vec::<String>::new());
}

#[test]
fn a_held_lock_ends_in_code_11_and_names_the_holder() {
    if !enter(TOOLS) {
        return;
    }
    use_legacy_iptables();
    let mut holder = Command::new("flock")
        .args(["/run/xtables.lock", "sh", "-c", "echo held; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    let id = attachment("net", "c1", "eth0");
    let error = add(&Filter::new(), IPT, &id, &[cidr("10.1.0.2/16")]).unwrap_err();
    assert_eq!(error.code, Code::TRY_AGAIN, "{error}");
    assert!(
        error.details.contains(&format!("/run/xtables.lock is held by pid {} (flock)", holder.id())),
        "{error}"
    );
    drop(holder.stdin.take());
    holder.wait().unwrap();
    add(&Filter::new(), IPT, &id, &[cidr("10.1.0.2/16")]).unwrap();
}

#[test]
fn status_tries_everything_and_changes_nothing() {
    on_both(|| {
        status(&Filter::new(), IPT).unwrap();
        assert_eq!(both(), (vec![], vec![]));
    });
}
