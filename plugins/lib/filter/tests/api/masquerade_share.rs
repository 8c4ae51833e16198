//! Masquerade: what is one attachment's, among others of the same container and after another address of its own.

use crate::host::{attachment, cidr, elements, enter, run, saved, use_legacy_iptables};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, add, check, collect, remove};
use cni_types::{NetworkName, Stale};

const TOOLS: &[&str] = &["iptables-restore", "iptables-legacy-restore", "ip6tables-save", "nft"];

/// Runs a test body with every backend: iptables-nft, iptables-legacy, nftables.
fn with_each(body: fn(Backend)) {
    if enter(TOOLS) {
        body(Backend::Iptables);
    }
    if enter(TOOLS) {
        use_legacy_iptables();
        body(Backend::Iptables);
    }
    if enter(TOOLS) {
        body(Backend::Nftables);
    }
}

/// All there is, of either backend.
fn entries() -> (Vec<String>, Vec<String>, Vec<(String, String)>) {
    (saved("iptables-save"), saved("ip6tables-save"), elements())
}

fn nothing() -> (Vec<String>, Vec<String>, Vec<(String, String)>) {
    (vec![], vec![], vec![])
}

#[test]
fn undo_and_del_of_one_interface_leave_the_others() {
    with_each(|backend| {
        let filter = Filter::new();
        let (eth0, eth1) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
        let ip0 = [cidr("10.1.0.2/16"), cidr("fd00:1::2/64")];
        let ip1 = [cidr("10.2.0.2/16"), cidr("fd00:2::2/64")];
        let hints = ip1.map(|ip| ip.ip());
        add(&filter, backend, &eth0, &ip0).unwrap();
        let one = entries();
        // The ADD of eth1 failed before, or after, it had an address.
        for known in [&hints[..], &[]] {
            remove(&filter, &eth1, known).unwrap();
            assert_eq!(entries(), one, "{backend:?}: {known:?}");
        }
        for known in [&hints[..], &[], &ip0.map(|ip| ip.ip())] {
            add(&filter, backend, &eth1, &ip1).unwrap();
            check(&filter, backend, &eth1, &ip1).unwrap();
            remove(&filter, &eth1, known).unwrap();
            assert_eq!(entries(), one, "{backend:?}: DEL that knows {known:?}");
        }
        add(&filter, backend, &eth1, &ip1).unwrap();
        remove(&filter, &eth0, &[]).unwrap();
        check(&filter, backend, &eth1, &ip1).unwrap();
        remove(&filter, &eth1, &hints).unwrap();
        assert_eq!(entries(), nothing(), "{backend:?}");
    });
}

#[test]
fn an_interface_of_before_there_were_records_keeps_its_jumps() {
    with_each(|backend| {
        let filter = Filter::new();
        let (eth0, eth1) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
        let (ip0, ip1) = (cidr("10.1.0.2/16"), cidr("10.2.0.2/16"));
        add(&filter, backend, &eth0, &[ip0]).unwrap();
        run("rm", &["-r", "/run/cni/masquerade"]);
        let one = entries();
        // Undo: it knows the addresses.
        remove(&filter, &eth1, &[ip1.ip()]).unwrap();
        assert_eq!(entries(), one, "{backend:?}");
        add(&filter, backend, &eth1, &[ip1]).unwrap();
        remove(&filter, &eth1, &[]).unwrap();
        assert_eq!(entries(), one, "{backend:?}");
        remove(&filter, &eth0, &[]).unwrap();
        assert_eq!(entries(), nothing(), "{backend:?}");
    });
}

#[test]
fn del_leaves_nothing_of_an_address_before_a_crash() {
    with_each(|backend| {
        let filter = Filter::new();
        let id = attachment("net", "c1", "eth0");
        let (first, second) = (cidr("10.1.0.2/16"), cidr("10.1.0.3/24"));
        for hints in [&[][..], &[second.ip()]] {
            add(&filter, backend, &id, &[first]).unwrap();
            add(&filter, backend, &id, &[second]).unwrap();
            remove(&filter, &id, hints).unwrap();
            assert_eq!(entries(), nothing(), "{backend:?}: {hints:?}");
            assert_eq!(run("ls", &["-A", "/run/cni/masquerade"]), "");
        }
    });
}

#[test]
fn gc_takes_one_interface_of_a_container_that_keeps_another() {
    with_each(|backend| {
        let filter = Filter::new();
        let (eth0, eth1) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
        add(&filter, backend, &eth0, &[cidr("10.1.0.2/16")]).unwrap();
        let one = entries();
        add(&filter, backend, &eth1, &[cidr("10.2.0.2/16")]).unwrap();
        let network = NetworkName::new("net").unwrap();
        collect(&filter, &Stale::new(&network, &[eth0.clone(), eth1.clone()])).unwrap();
        check(&filter, backend, &eth1, &[cidr("10.2.0.2/16")]).unwrap();
        collect(&filter, &Stale::new(&network, &[eth0])).unwrap();
        assert_eq!(entries(), one, "{backend:?}");
        collect(&filter, &Stale::all(&network)).unwrap();
        assert_eq!(entries(), nothing(), "{backend:?}");
    });
}
