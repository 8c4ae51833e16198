//! STATUS says whether an ADD would work, and why not.

use cni_tests::{Case, Host, IpamScript, Need, Place, VERSIONS};
use serde_json::json;

for_each_plugin!(it_passes_and_changes_nothing);
for_each_plugin!([macvlan, tap] ipam_is_missing_or_says_no, a_range_that_is_full);
for_each_plugin!([macvlan, ipvlan, vlan] the_master);

fn it_passes_and_changes_nothing(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    for version in VERSIONS {
        let outcome = case.call(&host).status(&case.conf.clone().version(version));
        if version == "1.1.0" {
            outcome.done();
        } else {
            outcome.error().says(1, &["STATUS", "1.1.0"]);
        }
    }
    host.snapshot().assert_same_as(&before, "STATUS");
}

fn ipam_is_missing_or_says_no(case: &Case) {
    let host = case.host();
    let case = case.with(|conf| conf.version("1.1.0"));
    let missing = case.conf.clone().set("ipam", json!({ "type": "missing" }));
    case.call(&host).status(&missing).error().says(50, &["missing"]);
    let script = IpamScript::that_runs_on(&host, "STATUS", r#"echo '{"code":51,"msg":"not now"}'; exit 1"#);
    case.call(&host).status(&script.for_conf(case.conf)).error().says(51, &["not now"]);
}

fn a_range_that_is_full(case: &Case) {
    let host = case.host();
    let case = case.with(|conf| conf.version("1.1.0").ranges(&["10.44.0.0/30"]));
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    case.call(&host).status(&case.conf).error().says(50, &["10.44.0."]);
    case.del(&host, &pod).done();
    case.call(&host).status(&case.conf).done();
}

fn the_master(case: &Case) {
    let host = case.host();
    let status = |host: &Host, conf| case.call(host).status(&conf);
    let conf = case.conf.clone().version("1.1.0");
    let larger = conf.clone().set("mtu", 9000);
    status(&host, larger).error().says(50, &["9000", "68–1500", "uplink"]);
    if case.plugin == "vlan" {
        host.run("ip link set uplink down");
        status(&host, conf.clone()).error().says(50, &["uplink", "down", "ip link set uplink up"]);
    }
    host.run("ip link del uplink");
    status(&host, conf.clone()).error().says(50, &["uplink"]);
    // A container's master cannot be known without a container.
    status(&host, conf.clone().set("linkInContainer", true)).done();
    if case.plugin != "vlan" {
        status(&host, conf.remove("master")).error().says(50, &["default route"]);
    }
}

#[test]
fn a_kernel_without_taps() {
    let case = crate::link::tap().with(|conf| conf.version("1.1.0"));
    let host = case.host();
    host.run("mount --bind /dev/null /dev/net/tun");
    case.call(&host).status(&case.conf).error().says(50, &["tun", "tap"]);
}

/// "Unknown device type" is all that such a kernel says.
#[test]
fn a_kernel_without_links_of_the_kind() {
    for (case, need, parts) in [
        (crate::link::ipvlan(), Need::Ipvlan, ["CONFIG_IPVLAN", "modprobe ipvlan"]),
        (crate::link::vlan(), Need::Vlan, ["CONFIG_VLAN_8021Q", "modprobe 8021q"]),
        (crate::link::dummy(), Need::Dummy, ["CONFIG_DUMMY", "modprobe dummy"]),
    ] {
        let host = case.host();
        let pod = host.container("pod");
        let (status, add) =
            (case.call(&host).status(&case.conf.clone().version("1.1.0")), case.add(&host, &pod));
        if need.is_met() {
            status.done();
            add.result();
        } else {
            status.error().says(50, &parts);
            add.error().says(100, &parts);
        }
    }
}
