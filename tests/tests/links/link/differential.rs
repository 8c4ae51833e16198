//! The same configuration through our plugins and Debian's build of the reference, but for the deviations listed here.

use cni_tests::{Case, Conf, needs};
use serde_json::json;

for_each_plugin!([macvlan, ipvlan, vlan] add_has_the_same_outcome);

/// What may differ, and why. A line that contains the text is left out on both sides.
const DEVIATIONS: [(&str, &str); 4] = [
    (".host-local.index", "our index beside the reservations; only a hint, and the reference ignores it"),
    ("sysctl ipv6/conf/eth0/keep_addr_on_down", "the reference sets it since a release later than Debian's"),
    ("sysctl ipv4/conf/eth0/arp_notify", "the reference leaves it out for vlan"),
    (
        "table local",
        "the kernel's own routes; the reference's IPv6 addresses are still tentative when it returns",
    ),
];

fn variants(case: &Case) -> Vec<Conf> {
    let base = || case.conf.clone();
    let default = json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0", "gw": "fd00:44::9" }]);
    let with_routes = base().set("mtu", 1400).ipam("routes", default);
    let with_dns = base().set("dns", json!({ "search": ["example"] })).version("0.4.0");
    match case.plugin {
        "macvlan" => vec![
            base(),
            with_routes,
            with_dns,
            base().version("0.2.0"),
            base().set("mode", "private").set("runtimeConfig", json!({ "mac": "0a:00:00:00:00:01" })),
            base().remove("ipam"),
        ],
        "ipvlan" => vec![with_routes, with_dns.set("mode", "l3")],
        _ => vec![with_routes.set("vlanId", 4094), with_dns.remove("vlanId")],
    }
}

fn add_has_the_same_outcome(case: &Case) {
    needs!(Reference);
    let known: Vec<_> = DEVIATIONS.iter().map(|(text, _)| *text).collect();
    for conf in variants(case) {
        let found = cni_tests::differences(&known, |host, suite, pod| {
            case.prepare(host);
            host.call(suite, case.plugin).add(&conf, pod, "eth0").result()
        });
        assert!(found.is_empty(), "{}\n{}", conf.text(), found.join("\n"));
    }
}
