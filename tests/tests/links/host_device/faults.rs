//! Faults on purpose.

use cni_tests::{Host, Place, Trace, kill_at_each_step, needs};
use serde_json::Value;

use crate::host_device::{conf, layer2, records, state, with_device};

/// The device, the records and the rest of the host.
fn everything(host: &Host) -> (Value, Vec<String>) {
    let rest = host.snapshot();
    (state(host, "ens5"), rest.lines().filter(|l| !l.starts_with("directory")).map(str::to_owned).collect())
}

#[test]
fn an_add_whose_nth_request_is_refused_gives_the_device_back() {
    needs!(Strace);
    let host = with_device();
    host.after_one_container("host-device", &conf());
    let before = everything(&host);
    let trace = Trace::new(&["trace=sendto"]).without_children();
    let pod = host.container("pod");
    host.plugin("host-device").under(&trace.command()).add(&conf(), &pod, "eth0").result();
    host.plugin("host-device").del(&conf(), &pod, "eth0").done();
    let requests = trace.request_lengths();
    assert!(requests.len() > 4, "{requests:?}");
    let mut refused = 0;
    for (n, length) in requests.into_iter().enumerate() {
        let trace = Trace::refusing(n + 1, length);
        let outcome = host.plugin("host-device").under(&trace.command()).add(&conf(), &pod, "eth0");
        if outcome.exit == Some(0) {
            // One while it waited for the IPv6 address: it asks again.
            host.plugin("host-device").del(&conf(), &pod, "eth0").done();
            continue;
        }
        outcome.error();
        refused += 1;
        assert_eq!(everything(&host), before, "request {n}: {outcome:?}");
        assert!(pod.find_link("eth0").is_none());
    }
    assert!(refused > 3, "only {refused} refusals made ADD fail");
}

#[test]
fn a_killed_add_is_undone_by_del_and_by_gc() {
    needs!(Strace);
    let host = with_device();
    host.after_one_container("host-device", &conf());
    let before = everything(&host);
    for by_gc in [false, true] {
        kill_at_each_step(|trace, when| {
            let pod = host.container("pod");
            let outcome = host.plugin("host-device").under(&trace.command()).add(&conf(), &pod, "eth0");
            if by_gc {
                host.plugin("host-device").gc(&conf(), &[]).done();
            } else {
                host.plugin("host-device").without("CNI_NETNS").del(&conf(), &pod, "eth0").done();
            }
            assert_eq!(everything(&host), before, "{when}: {outcome:?}");
            assert!(pod.find_link("eth0").is_none());
            pod.remove_netns();
        });
    }
}

#[test]
fn a_second_del_finishes_what_a_killed_one_began() {
    needs!(Strace);
    let host = with_device();
    host.after_one_container("host-device", &conf());
    let before = everything(&host);
    kill_at_each_step(|trace, when| {
        let pod = host.container("pod");
        host.plugin("host-device").add(&conf(), &pod, "eth0").result();
        host.plugin("host-device").under(&trace.command()).del(&conf(), &pod, "eth0");
        host.plugin("host-device").del(&conf(), &pod, "eth0").done();
        assert_eq!(everything(&host), before, "{when}");
        pod.remove_netns();
    });
}

#[test]
fn a_del_whose_nth_request_is_refused_can_be_repeated() {
    needs!(Strace);
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    let add = || drop(host.plugin("host-device").add(&layer2(), &pod, "eth0").result());
    add();
    let trace = Trace::new(&["trace=sendto"]).without_children();
    host.plugin("host-device").under(&trace.command()).del(&layer2(), &pod, "eth0").done();
    let requests = trace.request_lengths();
    assert!(requests.len() > 2, "{requests:?}");
    for (n, length) in requests.into_iter().enumerate() {
        add();
        let trace = Trace::refusing(n + 1, length);
        host.plugin("host-device").under(&trace.command()).del(&layer2(), &pod, "eth0").error();
        assert_eq!(records().len(), 1, "request {n}");
        host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
        assert_eq!((state(&host, "ens5"), records().len()), (before.clone(), 0), "request {n}");
    }
}

/// The move itself goes through, and what comes behind it in the request does not.
#[test]
fn an_address_the_kernel_refuses_does_not_keep_the_device_away() {
    let host = with_device();
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let path = format!("/run/cni/host-device/{}", records()[0]);
    let record = std::fs::read_to_string(&path).unwrap().replace("02:00:00:00:00:05", "03:00:00:00:00:05");
    std::fs::write(&path, record).unwrap();
    let error = host.plugin("host-device").del(&layer2(), &pod, "eth0").error();
    error.says(100, &["MAC address 03:00:00:00:00:05 of link", "EADDRNOTAVAIL"]);
    let link = host.link("ens5");
    assert_eq!((link.get("ifalias"), link["mtu"].as_u64()), (None, Some(1400)), "all the same: {link}");
}

#[test]
fn a_full_disk_moves_nothing() {
    let host = with_device();
    let pod = host.container("pod");
    host.sh("mkdir -p /run/cni; mount -t tmpfs -o size=4k tmpfs /run/cni; mkdir /run/cni/host-device; \
        dd if=/dev/zero of=/run/cni/fill bs=4k count=4 2>/dev/null || true");
    let before = state(&host, "ens5");
    let error = host.plugin("host-device").add(&layer2(), &pod, "eth0").error();
    error.says(5, &["/run/cni/host-device/", "ENOSPC"]);
    assert_eq!((state(&host, "ens5"), records()), (before, Vec::new()));
}
