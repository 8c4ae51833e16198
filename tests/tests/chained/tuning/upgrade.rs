//! What either suite changed, the other checks and restores.

use cni_tests::{Host, Suite, needs};
use serde_json::json;

use crate::tuning::{attached, attributes, everything};

fn handover(from: Suite, to: Suite) {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = attributes(&pod);
    // Debian's 1.1.1 does not know txQLen, and its CHECK compares MAC addresses as texts.
    let all = everything(conf.clone()).set("mac", "0a:00:00:00:00:0a").remove("txQLen");
    let single = [("mtu", json!(1300)), ("promisc", json!(true)), ("allmulti", json!(true))];
    let confs = single.into_iter().map(|(key, value)| conf.clone().set(key, value));
    for conf in confs.chain([all]) {
        let result = host.call(from, "tuning").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        host.call(to, "tuning").check(&conf, &pod, "eth0").done();
        assert_ne!(attributes(&pod), before);
        host.call(to, "tuning").del(&conf, &pod, "eth0").done();
        assert_eq!(attributes(&pod), before, "{}", conf.text());
        assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty());
    }
}

#[test]
fn what_the_reference_changed_we_restore() {
    needs!(Reference);
    handover(Suite::Reference, Suite::Ours);
}

#[test]
fn what_we_changed_the_reference_restores() {
    needs!(Reference);
    handover(Suite::Ours, Suite::Reference);
}
