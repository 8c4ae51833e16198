//! `portmap` and `firewall` where iptables lacks an extension that their rules need.

use cni_tests::published::{From, mapping};
use cni_tests::{Conf, Host, Place, arrives_at, needs};
use serde_json::json;

fn portmap() -> Conf {
    Conf::portmap("iptables", &json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")])).version("1.1.0")
}

/// Takes an extension from the tool. The directory of the records stays after any ADD.
fn hide(host: &Host, extension: &str) {
    host.sh(&format!(
        "dir=$(dirname $(find /usr/lib /lib /usr/lib64 -name libxt_comment.so | head -n 1)) && \
         cp -r $dir /run/xtables && rm /run/xtables/libxt_{extension}.so && mount --bind /run/xtables $dir && mkdir -p -m 0700 /run/cni/portmap /run/cni/firewall && touch /run/cni/firewall/lock"
    ));
}

#[test]
fn without_an_extension_portmap_uses_nftables_or_the_error_names_it() {
    needs!(Iptables);
    for (extension, name) in [
        ("comment", "match comment"),
        ("multiport", "match multiport"),
        ("addrtype", "match addrtype"),
        ("mark", "match mark"),
        ("MARK", "target MARK"),
        // One object has DNAT and MASQUERADE.
        ("NAT", "target DNAT"),
        ("udp", "match udp"),
    ] {
        Host::fresh(|host| without(host, extension, name));
    }
}

fn without(host: &Host, extension: &str, name: &str) {
    let outside = host.outside();
    let pod = host.container("pod");
    let conf = portmap().prev(&host.attach(&pod));
    hide(host, extension);
    let before = host.snapshot();
    let says = [name, "backend to \"nftables\""];
    host.plugin("portmap").status(&conf).error().says(50, &says);
    host.plugin("portmap").add(&conf, &pod, "eth0").error().says(101, &says);
    host.snapshot().assert_same_as(&before, extension);
    // Nobody has asked for iptables.
    let free = conf.remove("backend");
    host.plugin("portmap").status(&free).done();
    host.plugin("portmap").add(&free, &pod, "eth0").result();
    host.plugin("portmap").check(&free, &pod, "eth0").done();
    let ruleset = host.run("nft list ruleset");
    assert!(ruleset.contains("table inet cni_portmap") && !ruleset.contains("CNI-DN-"), "{ruleset}");
    let at = arrives_at(From::Container(&outside), "198.51.100.1:8080", "tcp", &pod, 80).to_string();
    assert_eq!(at, "10.22.0.2", "{extension}");
    host.plugin("portmap").del(&free, &pod, "eth0").done();
    assert!(!host.run("nft list ruleset").contains("10.22.0.2"), "{extension}");
}

/// What nftables does not take keeps the mappings at iptables.
#[test]
fn options_of_iptables_keep_the_mappings_there() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    let conf = portmap().remove("backend").prev(&host.attach(&pod));
    hide(&host, "multiport");
    let conf = conf.set("conditionsV4", json!(["-s", "192.0.2.0/24"]));
    let before = host.snapshot();
    host.plugin("portmap").status(&conf).error().says(50, &["match multiport"]);
    host.plugin("portmap").add(&conf, &pod, "eth0").error().says(101, &["match multiport"]);
    host.snapshot().assert_same_as(&before, "an ADD that fails");
}

#[test]
fn an_extension_that_the_rules_do_not_need_is_not_asked_for() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    let conf = portmap().set("snat", false).prev(&host.attach(&pod));
    hide(&host, "MASQUERADE");
    host.plugin("portmap").status(&conf).done();
    host.plugin("portmap").add(&conf, &pod, "eth0").result();
}

#[test]
fn without_an_extension_firewall_uses_nftables_or_the_error_names_it() {
    needs!(Iptables);
    for extension in ["comment", "conntrack"] {
        Host::fresh(|host| {
            let pod = host.container("pod");
            let conf = Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall" }));
            let free = conf.prev(&host.attach(&pod));
            let conf = free.clone().set("backend", "iptables");
            hide(host, extension);
            let before = host.snapshot();
            let says = [&format!("match {extension}"), "backend to \"nftables\""];
            let firewall = || host.plugin("firewall");
            firewall().status(&conf).error().says(50, &says);
            firewall().add(&conf, &pod, "eth0").error().says(101, &says);
            host.snapshot().assert_same_as(&before, extension);
            // Nobody has asked for iptables.
            firewall().status(&free).done();
            firewall().add(&free, &pod, "eth0").result();
            firewall().check(&free, &pod, "eth0").done();
            let ruleset = host.run("nft list ruleset");
            assert!(
                ruleset.contains("table inet cni_firewall") && ruleset.contains("10.22.0.2"),
                "{ruleset}"
            );
            firewall().del(&free, &pod, "eth0").done();
            assert!(!host.run("nft list ruleset").contains("10.22.0.2"), "{extension}");
        });
    }
}
