//! GC: what is saved for attachments that are gone, and the delegate's own.

use cni_tests::Place;
use serde_json::json;

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, conf, node, saved};

#[test]
fn what_is_not_valid_goes_and_what_is_valid_works() {
    let host = node();
    let conf = conf("1.1.0");
    host.after_one_container("flannel", &conf);
    let keep = host.container("keep");
    let result = host.plugin("flannel").add(&conf, &keep, "eth0").result();
    let before = host.snapshot();
    let [dead, lost] = ["dead", "lost"].map(|id| host.container(id));
    for (pod, ifname) in [(&dead, "eth0"), (&lost, "eth0"), (&lost, "eth1"), (&keep, "eth1")] {
        host.plugin("flannel").add(&conf, pod, ifname).result();
    }
    dead.remove_netns();
    host.plugin("flannel").gc(&conf, &[(&keep, "eth0")]).done();
    host.snapshot().assert_same_as(&before, "GC");
    host.plugin("flannel").check(&conf.prev(&result), &keep, "eth0").done();
}

#[test]
fn the_delegate_is_asked_for_each_and_then_for_the_rest() {
    let host = node();
    let spy = Spy::new(&host);
    let conf = spied(conf("1.1.0"));
    let pods = ["a", "b"].map(|id| host.container(id));
    for (pod, ifname) in [(&pods[0], "eth0"), (&pods[0], "net1"), (&pods[1], "eth0")] {
        spy.flannel(&host).add(&conf, pod, ifname).result();
    }
    let other = conf.clone().set("name", "other");
    spy.flannel(&host).add(&other, &host.container("c"), "eth0").result();
    // The reference's: of this network and gone, of this network and valid, of another network; and nobody's.
    for (id, network) in [("old", "cbr0"), ("b2", "cbr0"), ("old2", "other")] {
        std::fs::write(format!("{DATA_DIR}/{id}"), format!(r#"{{"name":"{network}","type":"spy"}}"#))
            .unwrap();
    }
    std::fs::write(format!("{DATA_DIR}/garbage"), "{").unwrap();
    host.run(&format!("mkfifo {DATA_DIR}/fifo"));
    spy.calls();
    let b2 = host.container("b2");
    spy.flannel(&host).gc(&conf, &[(&pods[1], "eth0"), (&b2, "eth0")]).done();
    let mut calls = spy.calls();
    assert_eq!(calls.pop().unwrap(), "GC");
    calls.sort();
    assert_eq!(calls, ["DEL a eth0", "DEL a net1", "DEL old eth0"]);
    assert_eq!(saved(&host), ["b", "b2", "c", "fifo", "garbage", "old2"]);
    let valid = json!([{ "containerID": "b", "ifname": "eth0" }, { "containerID": "b2", "ifname": "eth0" }]);
    let forwarded = spy.input().1;
    assert_eq!(forwarded["cni.dev/valid-attachments"], valid);
    assert_eq!(forwarded["ipam"]["ranges"], json!([[{ "subnet": "10.244.7.0/24" }]]));
}

#[test]
fn without_a_subnet_what_is_saved_goes_all_the_same() {
    let host = node();
    let spy = Spy::new(&host);
    let conf = spied(conf("1.1.0"));
    spy.flannel(&host).add(&conf, &host.container("a"), "eth0").result();
    host.run("rm -r /run/flannel");
    spy.calls();
    let outcome = spy.flannel(&host).gc(&conf, &[]);
    outcome.done();
    assert!(outcome.stderr.contains("GC was not run"), "{outcome:?}");
    assert_eq!(spy.calls(), ["DEL a eth0"]);
    assert!(saved(&host).is_empty());
}

#[test]
fn one_failure_stops_none_of_the_others() {
    let host = node();
    let fail = r#"case "$1 $CNI_CONTAINERID" in "DEL b") echo '{"code":77,"msg":"b fails"}'; exit 1;;
        GC*) echo '{"code":78,"msg":"GC fails"}'; exit 1;; esac"#;
    let spy = Spy::answering(&host, fail);
    let conf = spied(conf("1.1.0"));
    for id in ["a", "b", "c"] {
        spy.flannel(&host).add(&conf, &host.container(id), "eth0").result();
    }
    std::fs::write(format!("{DATA_DIR}/d"), r#"{"name":"cbr0","type":"a/b"}"#).unwrap();
    let error = spy.flannel(&host).gc(&conf, &[]).error();
    assert!(["b fails", "GC fails", "a/b"].iter().all(|text| error.text.contains(text)), "{error:?}");
    assert_eq!(saved(&host), ["b", "d"]);
    spy.flannel(&host).run("GC", conf.text().as_bytes()).freed_nothing();
    spy.flannel(&host).gc(&conf.version("1.0.0"), &[]).error().says(1, &["GC"]);
    assert_eq!(saved(&host), ["b", "d"]);
}
