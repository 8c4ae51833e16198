//! Faults on purpose.

use cni_tests::{Conf, Container, Host, IpamScript, Place, kill_at_each_step, needs};

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, DUAL_STACK, conf, node, saved, write_subnet_env};

#[test]
fn a_delegate_that_fails_is_undone_and_its_error_passed_on() {
    let host = node();
    let spy = Spy::answering(&host, r#"[ $1 != ADD ] || { echo '{"code":77,"msg":"cannot"}'; exit 1; }"#);
    let pod = host.container("pod");
    spy.flannel(&host).add(&spied(conf("1.0.0")), &pod, "eth0").error().says(77, &["cannot"]);
    assert_eq!(spy.calls(), ["ADD pod eth0", "DEL pod eth0"]);
    assert!(saved(&host).is_empty());
    for answer in ["true", "echo nonsense", "echo '[]'", r#"echo '{"cniVersion":"9.0.0"}'"#] {
        let spy = Spy::answering(&host, &format!("[ $1 != ADD ] || {{ {answer}; exit 0; }}"));
        spy.flannel(&host)
            .add(&spied(conf("1.0.0")), &pod, "eth0")
            .error()
            .says(102, &["spy", "no CNI result"]);
        assert_eq!(spy.calls(), ["ADD pod eth0", "DEL pod eth0"]);
        assert!(saved(&host).is_empty());
    }
}

#[test]
fn a_delegate_that_cannot_be_undone_is_left_to_del() {
    let host = node();
    let fails = r#"[ -e /run/fixed ] || { echo "{\"code\":77,\"msg\":\"$1 fails\"}"; exit 1; }"#;
    let spy = Spy::answering(&host, fails);
    let pod = host.container("pod");
    let conf = spied(conf("1.0.0"));
    let outcome = spy.flannel(&host).add(&conf, &pod, "eth0");
    outcome.error().says(77, &["ADD fails"]);
    assert!(outcome.stderr.contains("DEL fails"), "{outcome:?}");
    assert_eq!(saved(&host), ["pod"]);
    host.run("touch /run/fixed");
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    assert!(saved(&host).is_empty());
}

/// A second ADD, with no DEL in between, fails in the delegate, which finds the first one's link by its tag. Taking
/// back must not reach what the first has made, nor what its DEL needs.
#[test]
fn a_second_add_leaves_the_first_as_it_was() {
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    let pod = host.container("pod");
    host.plugin("flannel").add(&conf, &pod, "eth0").result();
    pod.run("ip link set eth0 down");
    pod.run("ip link set eth0 name lan0 up");
    let record = || host.run(&format!("cat {DATA_DIR}/pod"));
    let first = (host.snapshot(), record());
    write_subnet_env(DUAL_STACK);
    host.plugin("flannel").add(&conf, &pod, "eth0").error().says(100, &["eth0", "lan0"]);
    host.snapshot().assert_same_as(&first.0, "a second ADD");
    assert_eq!(record(), first.1);
    host.plugin("flannel").del(&conf, &pod, "eth0").done();
    assert!(pod.find_link("lan0").is_none());
    pod.remove_netns();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn ipam_that_fails_leaves_nothing() {
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    let ipam = IpamScript::that_fails(&host, 77, "no address");
    let pod = host.container("pod");
    host.plugin("flannel").add(&ipam.for_conf(conf), &pod, "eth0").error().says(77, &["no address"]);
    assert!(pod.find_link("eth0").is_none());
    pod.remove_netns();
    host.snapshot().assert_same_as(&before, "a failed ADD");
}

/// A killed ADD of a container whose namespace is gone or not known to `undone`, which leaves nothing.
fn killed_add(undone: impl Fn(&Host, &Conf, &Container)) {
    let host = node();
    let conf = conf("1.1.0");
    let before = host.after_one_container("flannel", &conf);
    kill_at_each_step(|trace, when| {
        let pod = host.container("pod");
        host.plugin("flannel").under(&trace.command()).add(&conf, &pod, "eth0");
        undone(&host, &conf, &pod);
        host.snapshot().assert_same_as(&before, when);
    });
}

#[test]
fn a_killed_add_is_undone_by_del() {
    needs!(Strace);
    killed_add(|host, conf, pod| {
        host.plugin("flannel").without("CNI_NETNS").del(conf, pod, "eth0").done();
        pod.remove_netns();
    });
}

#[test]
fn a_killed_add_is_undone_by_gc() {
    needs!(Strace);
    killed_add(|host, conf, pod| {
        pod.remove_netns();
        host.plugin("flannel").gc(conf, &[]).done();
    });
}

#[test]
fn a_killed_del_is_finished_by_the_next() {
    needs!(Strace);
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    kill_at_each_step(|trace, when| {
        let pod = host.container("pod");
        host.plugin("flannel").add(&conf, &pod, "eth0").result();
        host.plugin("flannel").under(&trace.command()).del(&conf, &pod, "eth0");
        host.plugin("flannel").del(&conf, &pod, "eth0").done();
        pod.remove_netns();
        host.snapshot().assert_same_as(&before, when);
    });
}

#[test]
fn a_full_disk_leaves_nothing() {
    let host = node();
    let spy = Spy::new(&host);
    host.sh("mkdir /run/full; mount -t tmpfs -o size=4k tmpfs /run/full; \
        dd if=/dev/zero of=/run/full/fill bs=4k count=4 2>/dev/null || true");
    let conf = spied(conf("1.0.0")).set("dataDir", "/run/full");
    let error = spy.flannel(&host).add(&conf, &host.container("pod"), "eth0").error();
    error.says(5, &["/run/full/pod", "ENOSPC"]);
    assert!(spy.calls().is_empty());
    assert_eq!(host.run("ls -A /run/full"), "fill\n");
}

#[test]
fn twenty_at_once_leave_nothing() {
    let host = node();
    let conf = conf("1.0.0");
    let before = host.after_one_container("flannel", &conf);
    let pods: Vec<_> = (0..20).map(|n| host.container(&format!("pod{n}"))).collect();
    for verb in ["ADD", "DEL"] {
        std::thread::scope(|scope| {
            for pod in &pods {
                let (host, conf) = (&host, &conf);
                scope.spawn(move || {
                    let call = host.plugin("flannel");
                    match verb {
                        "ADD" => drop(call.add(conf, pod, "eth0").result()),
                        _ => call.del(conf, pod, "eth0").done(),
                    }
                });
            }
        });
        assert_eq!(saved(&host).len(), if verb == "ADD" { 20 } else { 0 });
    }
    host.snapshot().assert_same_as(&before, "20 DELs");
}
