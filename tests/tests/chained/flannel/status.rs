//! STATUS says whether an ADD would work, and why not.

use cni_tests::{Conf, Host, Place};
use serde_json::json;

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, DUAL_STACK, SUBNET_ENV, conf, node, write_subnet_env};

fn says_no(host: &Host, conf: &Conf, parts: &[&str]) {
    host.plugin("flannel").status(conf).error().says(50, parts);
}

#[test]
fn a_node_that_is_ready_is_so_and_nothing_changes() {
    let host = node();
    let conf = conf("1.1.0");
    let before = host.after_one_container("flannel", &conf);
    host.plugin("flannel").status(&conf).done();
    host.snapshot().assert_same_as(&before, "STATUS");
    host.plugin("flannel").status(&conf.version("1.0.0")).error().says(1, &["STATUS"]);
}

#[test]
fn without_a_subnet_it_says_what_to_look_at() {
    let host = Host::new();
    let conf = conf("1.1.0");
    let why = ["flanneld has not written /run/flannel/subnet.env yet", "ENOENT", "flannel pod"];
    says_no(&host, &conf, &why);
    // Processes of its own, among which there is one flanneld or none.
    let alone = ["unshare", "--pid", "--fork", "--mount-proc"];
    let status = |wrapper: &[&str]| host.plugin("flannel").under(wrapper).status(&conf).error();
    status(&alone).says(50, &["no process flanneld is seen"]);
    host.run("cp /bin/sleep /run/flanneld");
    let beside =
        "/run/flanneld 60 & until read name < /proc/$!/comm && [ $name = flanneld ]; do :; done; \"$@\"";
    status(&[&alone[..], &["sh", "-c", beside, "sh"]].concat()).says(50, &["flanneld runs (pid 2)"]);
    write_subnet_env("FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_MTU=1450\n");
    let missing = "/run/flannel/subnet.env is missing FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET, FLANNEL_IPMASQ";
    says_no(&host, &conf, &[missing]);
    write_subnet_env(&SUBNET_ENV.replace("1450", "many"));
    says_no(&host, &conf, &["FLANNEL_MTU", "many"]);
}

#[test]
fn a_bridge_or_a_flannel_link_of_another_subnet_makes_it_say_no() {
    let host = node();
    let conf = conf("1.1.0");
    // What a node has by flanneld's vxlan backend, and a network of somebody else's.
    for (link, address) in
        [("flannel.1", "10.244.7.0/32"), ("flannel.2", "10.99.0.0/32"), ("other", "10.244.9.1/24")]
    {
        host.run(&format!("ip link add {link} type bridge"));
        host.run(&format!("ip address add {address} dev {link}"));
    }
    host.plugin("flannel").status(&conf).done();
    let pod = host.container("pod");
    host.plugin("flannel").add(&conf, &pod, "eth0").result();
    host.plugin("flannel").status(&conf).done();
    // flanneld lost its lease and got another one.
    write_subnet_env(&SUBNET_ENV.replace(".7.", ".8."));
    host.run("ip address del 10.244.7.0/32 dev flannel.1");
    says_no(&host, &conf, &["cni0", "10.244.7.1", "10.244.8.0/24", "ip link delete cni0"]);
    let error = host.plugin("flannel").add(&conf, &host.container("late"), "eth0").error();
    assert!(error.text.contains("cni0"), "and it is true: {error:?}");
    let elsewhere = conf.set("delegate", json!({ "bridge": "br-new" }));
    host.plugin("flannel").status(&elsewhere).done();
    host.run("ip link add br-new type bridge");
    host.run("ip address add 10.88.0.1/16 dev br-new");
    says_no(&host, &elsewhere, &["br-new", "10.88.0.1"]);
    host.run("ip link delete br-new");
    host.run("ip address add 10.244.7.0/32 dev flannel.1");
    says_no(&host, &elsewhere, &["flannel.1", "10.244.7.0", "10.244.8.0/24"]);
}

#[test]
fn a_bridge_that_gets_along_with_its_address_is_none_of_that() {
    let host = node();
    write_subnet_env(DUAL_STACK);
    let conf = conf("1.1.0");
    host.plugin("flannel").add(&conf, &host.container("pod"), "eth0").result();
    let delegate = |value| conf.clone().set("delegate", value);
    let late = |conf: &Conf, id: &str| {
        host.plugin("flannel").status(conf).done();
        host.plugin("flannel").add(conf, &host.container(id), "eth0").result();
    };
    // Several IPv6 gateways may be on a bridge.
    write_subnet_env(&DUAL_STACK.replace("fd00:244:0:7:", "fd00:244:0:8:"));
    late(&conf, "late0");
    write_subnet_env(&DUAL_STACK.replace("10.244.7.", "10.244.8."));
    says_no(&host, &delegate(json!({ "isGateway": false, "isDefaultGateway": true })), &["10.244.7.1"]);
    late(&delegate(json!({ "isGateway": false })), "late1");
    late(&delegate(json!({ "forceAddress": true })), "late2");
}

#[test]
fn the_delegate_is_missing_or_says_no() {
    let host = node();
    says_no(&host, &spied(conf("1.1.0")), &["spy"]);
    let spy = Spy::answering(&host, r#"[ $1 != STATUS ] || { echo '{"code":51,"msg":"not now"}'; exit 1; }"#);
    spy.flannel(&host).status(&spied(conf("1.1.0"))).error().says(51, &["not now"]);
    assert_eq!(spy.input().1["ipam"]["ranges"], json!([[{ "subnet": "10.244.7.0/24" }]]));
    says_no(&host, &conf("1.1.0").set("ipam", json!({ "type": "missing" })), &["missing"]);
}

#[test]
fn nothing_could_be_saved() {
    let host = node();
    host.run("mount -t tmpfs -o ro tmpfs /var/lib/cni");
    says_no(&host, &conf("1.1.0"), &[DATA_DIR, "EROFS"]);
}
