//! CHECK is the delegate's, with the configuration of its ADD.

use cni_tests::Place;
use serde_json::json;

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, DUAL_STACK, conf, node, write_subnet_env};

#[test]
fn the_delegate_gets_what_was_saved_and_the_result() {
    let host = node();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    let conf = spied(conf("1.0.0"));
    let result = spy.flannel(&host).add(&conf, &pod, "eth0").result();
    let mut expected = spy.input().1;
    write_subnet_env(DUAL_STACK);
    let newer = conf.set("delegate", json!({ "type": "spy", "mtu": 9 })).version("1.1.0").prev(&result);
    spy.flannel(&host).check(&newer, &pod, "eth0").done();
    assert_eq!(spy.calls(), ["ADD pod eth0", "CHECK pod eth0"]);
    expected["prevResult"] = result;
    expected["cniVersion"] = json!("1.1.0");
    assert_eq!(spy.input().1, expected);
}

#[test]
fn a_difference_is_found() {
    for change in ["ip address del 10.244.7.2/24 dev eth0", "ip link del eth0"] {
        let host = node();
        let pod = host.container("pod");
        let conf = conf("1.1.0");
        let result = host.plugin("flannel").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        host.plugin("flannel").check(&conf, &pod, "eth0").done();
        pod.run(change);
        host.plugin("flannel").check(&conf, &pod, "eth0").error().says(103, &["eth0"]);
    }
}

#[test]
fn without_the_saved_configuration_something_is_wrong() {
    let host = node();
    let pod = host.container("pod");
    let conf = conf("1.1.0");
    let result = host.plugin("flannel").add(&conf, &pod, "eth0").result();
    let conf = conf.prev(&result);
    std::fs::write(format!("{DATA_DIR}/pod"), "{").unwrap();
    host.plugin("flannel").check(&conf, &pod, "eth0").error().says(103, &["/pod"]);
    host.run(&format!("rm {DATA_DIR}/pod"));
    host.plugin("flannel").check(&conf, &pod, "eth0").error().says(103, &["saved"]);
}

#[test]
fn without_a_result_the_delegate_refuses() {
    let host = node();
    let pod = host.container("pod");
    host.plugin("flannel").add(&conf("1.1.0"), &pod, "eth0").result();
    host.plugin("flannel").check(&conf("1.1.0"), &pod, "eth0").error().says(7, &["prevResult"]);
}
