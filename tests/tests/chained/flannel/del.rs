//! DEL in every circumstance.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, DUAL_STACK, SUBNET_ENV, conf, node, saved, write_subnet_env};

#[test]
fn it_needs_neither_subnet_nor_namespace_nor_valid_keys() {
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    for n in 0..3 {
        write_subnet_env(SUBNET_ENV);
        let pod = host.container(&format!("pod{n}"));
        host.plugin("flannel").add(&conf, &pod, "eth0").result();
        host.run("rm -r /run/flannel");
        let nonsense = conf.clone().set("delegate", 7).set("ipam", "x").set("subnetFile", true);
        match n {
            0 => host.plugin("flannel").del(&nonsense, &pod, "eth0").done(),
            1 => host.plugin("flannel").without("CNI_NETNS").del(&nonsense, &pod, "eth0").done(),
            _ => {
                pod.remove_netns();
                host.plugin("flannel").del(&nonsense, &pod, "eth0").done();
            }
        }
        host.snapshot().assert_same_as(&before, &format!("DEL {n}"));
    }
}

#[test]
fn it_runs_the_delegate_with_what_its_add_got() {
    let host = node();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    spy.flannel(&host).add(&spied(conf("1.0.0")), &pod, "eth0").result();
    let mut input = spy.input().1;
    write_subnet_env(DUAL_STACK);
    let conf = conf("1.1.0").set("delegate", json!({ "type": "elsewhere" })).prev(&json!({}));
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    input["prevResult"] = json!({ "cniVersion": "1.0.0" });
    assert_eq!(spy.input().1, input);
    assert_eq!(spy.calls(), ["ADD pod eth0", "DEL pod eth0"]);
    assert!(saved(&host).is_empty());
}

#[test]
fn what_was_never_added_and_a_second_del_succeed() {
    let host = Host::new();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    let conf = spied(conf("1.0.0"));
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    write_subnet_env(SUBNET_ENV);
    spy.flannel(&host).add(&conf, &pod, "eth0").result();
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    assert_eq!(spy.calls(), ["ADD pod eth0", "DEL pod eth0"]);
}

#[test]
fn interfaces_and_networks_of_one_container_do_not_mix() {
    let host = node();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    let conf = |network: &str| spied(conf("1.0.0")).set("name", network);
    let attachments = [("one", "eth0"), ("one", "eth1"), ("two", "eth2")];
    // Whichever goes first, each takes its own.
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        for (network, ifname) in attachments {
            spy.flannel(&host).add(&conf(network), &pod, ifname).result();
        }
        assert_eq!(saved(&host).len(), 3);
        for (left, (network, ifname)) in (0..3).rev().zip(order.map(|n| attachments[n])) {
            spy.calls();
            let del = || spy.flannel(&host).del(&conf(network), &pod, ifname).done();
            del();
            assert_eq!(spy.calls(), [format!("DEL pod {ifname}")]);
            assert_eq!(spy.input().1["name"], network);
            // A second one takes none of the others'.
            del();
            assert!(spy.calls().is_empty());
            assert_eq!(saved(&host).len(), left);
        }
    }
}

#[test]
fn two_interfaces_on_two_bridges() {
    let host = node();
    let confs = ["one", "two"].map(|name| {
        let delegate = json!({ "bridge": format!("br-{name}"), "isGateway": false });
        conf("1.0.0").set("name", name).set("delegate", delegate)
    });
    let all = |host: &Host, id: &str| {
        let pod = host.container(id);
        for (conf, ifname) in confs.iter().zip(["eth0", "eth1"]) {
            host.plugin("flannel").add(conf, &pod, ifname).result();
        }
        assert!(pod.find_link("eth0").is_some() && pod.find_link("eth1").is_some());
        pod
    };
    let gone = |host: &Host, id: &str| {
        let pod = all(host, id);
        for (conf, ifname) in confs.iter().zip(["eth0", "eth1"]) {
            host.plugin("flannel").del(conf, &pod, ifname).done();
            assert!(pod.find_link(ifname).is_none());
        }
        pod.remove_netns();
        host.snapshot()
    };
    let before = gone(&host, "first");
    gone(&host, "second").assert_same_as(&before, "DEL of both");
}

#[test]
fn a_delegate_that_fails_keeps_what_the_next_del_needs() {
    let host = node();
    let spy = Spy::answering(
        &host,
        r#"[ $1 != DEL ] || [ -e /run/fixed ] || { echo '{"code":77,"msg":"not now"}'; exit 1; }"#,
    );
    let pod = host.container("pod");
    let conf = spied(conf("1.0.0"));
    spy.flannel(&host).add(&conf, &pod, "eth0").result();
    spy.flannel(&host).del(&conf, &pod, "eth0").error().says(77, &["not now"]);
    assert_eq!(saved(&host), ["pod"]);
    host.run("mv /run/spy/spy /run/spy/away");
    spy.flannel(&host).del(&conf, &pod, "eth0").error().says(7, &["spy"]);
    assert_eq!(saved(&host), ["pod"]);
    host.run("mv /run/spy/away /run/spy/spy");
    host.run("touch /run/fixed");
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    assert!(saved(&host).is_empty());
}

#[test]
fn what_nobody_can_read_is_told_and_the_delegate_runs_by_todays_configuration() {
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    for garbage in
        ["", "{", "[]", "{}", r#"{"name":"cbr0","type":"../bridge"}"#, r#"{"name":"cbr0","type":7}"#]
    {
        let pod = host.container("pod");
        host.plugin("flannel").add(&conf, &pod, "eth0").result();
        std::fs::write(format!("{DATA_DIR}/pod"), garbage).unwrap();
        // As long as that cannot be known, it stays.
        host.run("mv /run/flannel /run/away");
        let outcome = host.plugin("flannel").del(&conf, &pod, "eth0");
        outcome.done();
        assert!(outcome.stderr.contains("stays") && outcome.stderr.contains("subnet.env"), "{outcome:?}");
        assert_eq!(std::fs::read_to_string(format!("{DATA_DIR}/pod")).unwrap(), garbage);
        host.run("mv /run/away /run/flannel");
        let outcome = host.plugin("flannel").del(&conf, &pod, "eth0");
        outcome.done();
        assert!(outcome.stderr.contains(&format!("{DATA_DIR}/pod")), "{garbage}: {outcome:?}");
        pod.remove_netns();
        host.snapshot().assert_same_as(&before, garbage);
    }
}

#[test]
fn a_directory_in_the_files_place_is_an_error() {
    let host = node();
    host.run(&format!("mkdir -p {DATA_DIR}/pod"));
    let outcome = host.plugin("flannel").del(&conf("1.0.0"), &host.container("pod"), "eth0");
    outcome.error().says(5, &[&format!("{DATA_DIR}/pod")]);
}

/// By it the delegate tells this attachment from the container's others.
#[test]
fn the_delegate_is_told_what_add_has_made_in_the_version_it_was_configured_with() {
    let host = node();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    let result = spy.flannel(&host).add(&spied(conf("0.4.0")), &pod, "eth0").result();
    spy.flannel(&host).del(&spied(conf("0.4.0")).prev(&result), &pod, "eth0").done();
    assert_eq!(spy.input().1["prevResult"], result);

    spy.flannel(&host).add(&spied(conf("0.4.0")), &pod, "eth0").result();
    // The network was moved to 1.0.0 meanwhile.
    let newer = json!({ "cniVersion": "1.0.0", "ips": [{ "address": "10.244.7.9/24" }] });
    spy.flannel(&host).del(&spied(conf("1.0.0")).prev(&newer), &pod, "eth0").done();
    assert_eq!(spy.input().1["prevResult"], result);
    assert_eq!(spy.input().1["cniVersion"], "0.4.0");

    spy.flannel(&host).add(&spied(conf("0.4.0")), &pod, "eth0").result();
    spy.flannel(&host).del(&spied(conf("0.4.0")), &pod, "eth0").done();
    assert_eq!(spy.input().1.get("prevResult"), None, "there was nothing to tell");
}
