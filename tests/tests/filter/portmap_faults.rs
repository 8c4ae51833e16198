//! `portmap`: requests of the kernel that fail.

use cni_tests::published::mapping;
use cni_tests::{Conf, Host, Trace, needs};
use serde_json::json;

#[test]
fn an_add_whose_nth_request_fails_leaves_nothing() {
    needs!(Iptables, Strace);
    for backend in ["nftables", "iptables"] {
        let host = Host::new();
        let pod = host.container("pod");
        let ports = json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")]);
        let conf = Conf::portmap(backend, &ports).prev(&host.attach(&pod));
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        host.plugin("portmap").del(&conf, &pod, "eth0").done();
        let before = host.snapshot();
        let mut failed = 0;
        for n in 1..100 {
            let inject = format!("inject=sendto:error=ENOMEM:when={n}");
            let trace = Trace::new(&["trace=sendto", &inject]).without_children();
            let outcome = host.plugin("portmap").under(&trace.command()).add(&conf, &pod, "eth0");
            if outcome.exit == Some(0) {
                host.plugin("portmap").del(&conf, &pod, "eth0").done();
            } else {
                outcome.error();
                failed += 1;
            }
            host.snapshot().assert_same_as(&before, &format!("{backend}, request {n}: {outcome:?}"));
            if !trace.lines().iter().any(|line| line.contains("INJECTED")) {
                break;
            }
        }
        assert!(failed > 3, "{backend}: only {failed} failures");
    }
}
