//! Upgrades: Debian has no package of the reference's flannel, so its part is played by what it is known to do. It
//! saves what it gives the delegate as `<dataDir>/<container id>`; its DEL gives the delegate those bytes, whatever
//! they are, and removes the file.

use cni_tests::{Conf, Container, Host, Place, Snapshot, needs};
use serde_json::{Value, json};

use crate::flannel::{DATA_DIR, conf, node, saved};

fn golden(name: &str) -> Value {
    json!({
        "cniVersion": "1.0.0", "name": name, "type": "bridge", "ipMasq": false, "isGateway": true, "mtu": 1450,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.244.7.0/24" }]],
            "routes": [{ "dst": "10.244.0.0/16" }] },
    })
}

fn reference_add(host: &Host, pod: &Container, ifname: &str) -> Value {
    let conf = Conf::new(golden("cbr0"));
    host.run(&format!("mkdir -p -m 700 {DATA_DIR}"));
    std::fs::write(format!("{DATA_DIR}/{}", pod.id()), conf.text()).unwrap();
    host.reference("bridge").add(&conf, pod, ifname).result()
}

fn reference_del(host: &Host, pod: &Container, ifname: &str) {
    let path = format!("{DATA_DIR}/{}", pod.id());
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let conf: Value = serde_json::from_str(&text).unwrap();
    host.reference(conf["type"].as_str().unwrap()).del(&Conf::new(conf), pod, ifname).done();
    std::fs::remove_file(path).unwrap();
}

/// The reference's pairs carry no tag: where the container's namespace is gone, the kernel removes them in its own
/// time.
fn nothing_left(host: &Host, before: &Snapshot) {
    let changes = host.snapshot().since(before);
    assert!(changes.iter().all(|line| line[2..].starts_with("link ")), "{changes:?}");
}

#[test]
fn what_the_reference_made_we_check_and_remove() {
    needs!(Reference);
    for netns in [true, false] {
        let host = node();
        let before = host.after_one_container("flannel", &conf("1.0.0"));
        let pod = host.container("pod");
        let result = reference_add(&host, &pod, "eth0");
        let conf = conf("1.0.0").prev(&result);
        host.plugin("flannel").check(&conf, &pod, "eth0").done();
        if !netns {
            pod.remove_netns();
        }
        host.plugin("flannel").del(&conf.remove("prevResult"), &pod, "eth0").done();
        assert!(!netns || pod.find_link("eth0").is_none());
        nothing_left(&host, &before);
    }
}

#[test]
fn what_the_reference_left_we_collect() {
    needs!(Reference);
    let host = node();
    let before = host.after_one_container("flannel", &conf("1.1.0"));
    let [eth, net] = ["eth", "net"].map(|id| host.container(id));
    reference_add(&host, &eth, "eth0");
    // Its file does not say which interface: the delegate's GC finds the rest.
    reference_add(&host, &net, "net1");
    eth.remove_netns();
    net.remove_netns();
    host.plugin("flannel").gc(&conf("1.1.0"), &[]).done();
    nothing_left(&host, &before);
}

#[test]
fn what_we_made_the_reference_removes() {
    needs!(Reference);
    // In the middle of an upgrade the delegate may be either's.
    for delegates in ["/run/cni-tests/ours", "/run/cni-tests/reference"] {
        let host = node();
        let before = host.after_one_container("flannel", &conf("1.0.0"));
        let pod = host.container("pod");
        let call = host.plugin("flannel").env("CNI_PATH", delegates);
        call.add(&conf("1.0.0"), &pod, "eth0").result();
        reference_del(&host, &pod, "eth0");
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, "the reference's DEL");
    }
}

#[test]
fn our_second_interface_leaves_the_references_first_alone() {
    needs!(Reference);
    let host = node();
    let before = host.after_one_container("flannel", &conf("1.0.0"));
    let pod = host.container("pod");
    reference_add(&host, &pod, "eth0");
    let second = conf("1.0.0").set("name", "second").set("delegate", json!({ "bridge": "cni0" }));
    host.plugin("flannel").add(&second, &pod, "eth1").result();
    assert_eq!(saved(&host).len(), 2);
    host.plugin("flannel").del(&second, &pod, "eth1").done();
    assert_eq!(saved(&host), ["pod"]);
    host.plugin("flannel").del(&conf("1.0.0"), &pod, "eth0").done();
    pod.remove_netns();
    let changes = host.snapshot().since(&before);
    assert!(changes.iter().all(|line| line.contains("/var/lib/cni/networks/second")), "{changes:?}");
}
