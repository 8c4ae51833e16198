//! Upgrades: what the reference plugins left, made here with the tools it uses.

use crate::host::{attachment, cidr, enter, nft, objects, run, saved};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, check, collect, remove};
use cni_types::{AttachmentId, Stale};

/// The nftables layout as the reference makes it.
fn reference_nft(attachments: &[(&AttachmentId, &str, &str)]) {
    let mut commands = "add table inet cni_plugins_masquerade\n\
        add chain inet cni_plugins_masquerade masq_checks\n\
        add chain inet cni_plugins_masquerade postrouting { type nat hook postrouting priority 100; }\n\
        add rule inet cni_plugins_masquerade postrouting ip daddr == 224.0.0.0/4 return\n\
        add rule inet cni_plugins_masquerade postrouting ip6 daddr == ff00::/8 return\n\
        add rule inet cni_plugins_masquerade postrouting goto masq_checks\n"
        .to_owned();
    for (id, ip, network) in attachments {
        let family = if ip.contains(':') { "ip6" } else { "ip" };
        commands += &format!(
            "add rule inet cni_plugins_masquerade masq_checks {family} saddr == {ip} {family} daddr != {network} \
             masquerade comment \"{}\"\n",
            id.tag()
        );
    }
    nft(&commands);
}

/// How many rules the reference's private chain holds.
fn checks() -> usize {
    objects("rule").iter().filter(|rule| rule["chain"] == "masq_checks").count()
}

#[test]
fn the_nftables_layout_is_accepted_and_removed() {
    if !enter(&["nft", "iptables-save"]) {
        return;
    }
    let filter = Filter::new();
    let (id, other) = (attachment("net", "c1", "eth0"), attachment("net", "c1", "eth1"));
    let of_id = [(&id, "10.1.0.2", "10.1.0.0/16"), (&id, "fd00::2", "fd00::/64")];
    reference_nft(&[of_id[0], of_id[1], (&other, "10.1.0.3", "10.1.0.0/16")]);
    for backend in [Backend::Nftables, Backend::Iptables] {
        check(&filter, backend, &id, &[cidr("10.1.0.2/16"), cidr("fd00::2/64")]).unwrap();
        check(&filter, backend, &id, &[cidr("10.1.0.3/16")]).unwrap_err();
    }
    for _ in 0..2 {
        remove(&filter, &id, &[]).unwrap();
        assert_eq!(checks(), 1);
        assert_eq!(objects("rule").len(), 4, "the shared rules stay");
    }
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| remove(&Filter::new(), &other, &["10.1.0.3".parse().unwrap()]).unwrap());
        }
    });
    assert_eq!(checks(), 0);
}

#[test]
fn the_nftables_layout_is_collected() {
    if !enter(&["nft"]) {
        return;
    }
    let ids = [("net", "a"), ("net", "b"), ("net2", "c")].map(|(net, c)| attachment(net, c, "eth0"));
    let rules = ["10.1.0.2", "10.1.0.3", "10.1.0.4"];
    reference_nft(&[0, 1, 2].map(|n| (&ids[n], rules[n], "10.1.0.0/16")));
    let filter = Filter::new();
    collect(&filter, &Stale::new(&ids[0].network, &ids[1..2])).unwrap();
    assert_eq!(checks(), 2);
    check(&filter, Backend::Nftables, &ids[1], &[cidr("10.1.0.3/16")]).unwrap();
    check(&filter, Backend::Nftables, &ids[2], &[cidr("10.1.0.4/16")]).unwrap();
}

#[test]
fn the_iptables_layout_is_removed_in_every_form() {
    let known = ["10.1.0.2".parse().unwrap(), "10.9.0.2".parse().unwrap()];
    for (variant, hints) in [("nft", &[][..]), ("legacy", &[]), ("nft", &known), ("legacy", &known)] {
        if !enter(&["iptables-nft", "iptables-legacy", "iptables-nft-save"]) {
            return;
        }
        let chain = "CNI-1b29d9511ed2bb3134d925d5";
        let comment = ["-m", "comment", "--comment", "name: \"mynet\" id: \"dummy\""];
        let iptables = |words: &[&str]| {
            run(&format!("iptables-{variant}"), &[&["-t", "nat"], words, &comment[..]].concat());
        };
        run(&format!("iptables-{variant}"), &["-t", "nat", "-N", chain]);
        iptables(&["-A", chain, "-d", "10.1.0.2/16", "-j", "ACCEPT"]);
        iptables(&["-A", chain, "!", "-d", "224.0.0.0/4", "-j", "MASQUERADE"]);
        iptables(&["-A", "POSTROUTING", "-s", "10.1.0.2", "-j", chain]);
        // The form of old releases, and a second address.
        iptables(&["-A", "POSTROUTING", "-s", "10.1.0.2/16", "-j", chain]);
        iptables(&["-A", "POSTROUTING", "-s", "10.9.0.2", "-j", chain]);
        remove(&Filter::new(), &attachment("mynet", "dummy", "eth0"), hints).unwrap();
        assert_eq!(saved(&format!("iptables-{variant}-save")), Vec::<String>::new());
    }
}
