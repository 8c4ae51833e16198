//! What befalls a node between its pods.

use cni_tests::{Chain, Conf, Place};

use crate::life::{Node, answered};
use crate::network::SMALL_DISK;

/// The troubles in turn, and a GC after every second one.
pub(crate) fn make(node: &mut Node, round: usize) {
    match round % 3 {
        0 => flush(node),
        1 => fill_the_disk(node),
        _ => {
            node.daemon = None;
            node.daemon = Some(node.host.dhcp_daemon(&[]));
        }
    }
    if round % 2 == 1 {
        node.gc();
    }
}

/// Somebody reloads a firewall. The living are damaged, which CHECK says, and the next ADD has all it needs.
fn flush(node: &Node) {
    node.host.run("nft flush ruleset");
    let damaged = node.living.iter().find(|pod| pod.chain.types().contains(&"firewall"));
    if let Some(pod) = damaged {
        let (name, conf) = &pod.chain.plugins()[1];
        let conf = conf.clone().prev(&pod.result);
        let error = answered(|| node.host.plugin(name).check(&conf, &pod.container, "eth0")).error();
        assert_eq!(error.code, 103, "{error:?}");
    }
}

/// An ADD says so and leaves nothing; who lives can go. The lost go before, or the kernel would end one of their
/// namespaces, and the pair with it, between the looks at the host.
fn fill_the_disk(node: &Node) {
    let host = node.host;
    node.gc();
    host.try_run(&format!("dd if=/dev/zero of={SMALL_DISK}/fill bs=4k"));
    let before = host.snapshot();
    let pod = host.container("unlucky");
    let chain = Chain::new(&node.networks[2]);
    let (name, conf): &(String, Conf) = &chain.plugins()[0];
    let error = answered(|| host.plugin(name).add(conf, &pod, "eth0")).error();
    assert!(error.text.contains("ENOSPC"), "{error:?}");
    pod.remove_netns();
    host.snapshot().assert_same_as(&before, "an ADD with a full disk");
    host.run(&format!("rm {SMALL_DISK}/fill"));
}
