//! The node's list of allowed sysctls.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::tuning::attached;

#[test]
fn the_allow_list_decides_on_the_key_as_it_is_written() {
    let host = Host::new();
    host.own_etc();
    let (pod, conf) = attached(&host);
    let list = "/etc/cni/tuning/allowlist.conf";
    host.run("mkdir -p /etc/cni/tuning");
    let call = |key: &str| {
        let conf = conf.clone().set("sysctl", json!({ "net.core.somaxconn": "111", key: "1" }));
        host.plugin("tuning").add(&conf, &pod, "eth0")
    };
    let key = "net.ipv4.conf.IFNAME.arp_filter";
    call(key).result();
    for allowing in [r"^net\.ipv4\.conf\.IFNAME\.[a-z_]*$", "arp_f", "  arp|nothing  \n\n"] {
        std::fs::write(list, format!("somaxconn\n{allowing}\n")).unwrap();
        call(key).result();
    }
    std::fs::write(list, "somaxconn\n^arp\n").unwrap();
    call(key).error().says(7, &["IFNAME.arp_filter", list]);
    std::fs::write(list, "").unwrap();
    pod.run("sysctl -w net.core.somaxconn=4096");
    call(key).error().says(7, &["net.core.somaxconn", list]);
    assert_eq!(pod.sysctl("core/somaxconn"), "4096", "nothing is written before all is allowed");
    // Sysctls alone are what the list is about.
    host.plugin("tuning").add(&conf.clone().set("mtu", 1400), &pod, "eth0").result();
    // args.cni is what users can write.
    let args = conf.clone().set("args", json!({ "cni": { "sysctl": { key: "1" } } }));
    host.plugin("tuning").add(&args, &pod, "eth0").error().says(7, &["IFNAME.arp_filter", list]);
}

#[test]
fn a_strict_node_without_a_list_allows_no_sysctl() {
    let host = Host::new();
    host.own_etc();
    let (pod, conf) = attached(&host);
    let conf = conf.version("1.1.0").remove("prevResult").prev(&json!({ "cniVersion": "1.1.0" }));
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "111" }));
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    host.sh("mkdir -p /etc/cni/tuning; touch /etc/cni/tuning/strict");
    host.plugin("tuning").add(&conf, &pod, "eth0").error().says(7, &["somaxconn", "/etc/cni/tuning/strict"]);
    host.plugin("tuning").status(&conf).error().says(50, &["somaxconn", "/etc/cni/tuning/strict"]);
    std::fs::write("/etc/cni/tuning/allowlist.conf", "somaxconn").unwrap();
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
}

#[test]
fn a_list_that_cannot_be_read_is_no_missing_list() {
    let host = Host::new();
    host.own_etc();
    let (pod, conf) = attached(&host);
    let conf = conf.version("1.1.0").remove("prevResult").prev(&json!({ "cniVersion": "1.1.0" }));
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "111" }));
    host.plugin("tuning").status(&conf).done();
    host.run("mkdir -p /etc/cni/tuning/allowlist.conf");
    let error = host.plugin("tuning").add(&conf, &pod, "eth0").error();
    error.says(5, &["/etc/cni/tuning/allowlist.conf", "EISDIR"]);
    host.plugin("tuning").status(&conf).error().says(50, &["/etc/cni/tuning/allowlist.conf"]);
    host.run("rmdir /etc/cni/tuning/allowlist.conf");
    std::fs::write("/etc/cni/tuning/allowlist.conf", "fine\n[unclosed\n").unwrap();
    host.plugin("tuning").add(&conf, &pod, "eth0").error().says(7, &["line 2", "[unclosed"]);
    host.plugin("tuning").status(&conf).error().says(50, &["line 2", "[unclosed"]);
    std::fs::write("/etc/cni/tuning/allowlist.conf", "net.core").unwrap();
    host.plugin("tuning").status(&conf).done();
}
