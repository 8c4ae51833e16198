//! Many at once.

use std::collections::BTreeSet;

use cni_tests::{Container, Host, Place, needs};

use crate::{add, address, conf, del, kea, records, server};

#[test]
fn two_hundred_at_once_get_two_hundred_addresses() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [3600, 1800, 3000]);
    let daemon = host.dhcp_daemon(&[]);
    let before = host.after_one_container("bridge", &conf());
    let pods: Vec<_> = (0..200).map(|n| host.container(&format!("pod{n}"))).collect();
    let results: Vec<_> = std::thread::scope(|scope| {
        let adding: Vec<_> = pods.iter().map(|pod| scope.spawn(|| add(&host, pod))).collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let got: BTreeSet<_> = results.iter().map(|result| address(result).to_owned()).collect();
    assert_eq!(got.len(), 200);
    kea.holds_count(200);
    assert_eq!(kea.addresses().into_iter().collect::<BTreeSet<_>>(), got);
    for (pod, result) in pods.iter().zip(&results) {
        assert_eq!(pod.addresses("eth0"), [format!("{}/24", address(result))]);
    }
    assert_eq!(records(), 200);
    let threads = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap().count();
    assert!(threads <= 2, "the daemon has {threads} threads");
    std::thread::scope(|scope| {
        pods.iter().for_each(|pod| drop(scope.spawn(|| del(&host, pod))));
    });
    kea.holds(&[]);
    pods.iter().for_each(Container::remove_netns);
    host.snapshot().assert_same_as(&before, "200 DELs");
}

#[test]
fn interfaces_of_one_container_have_leases_of_their_own() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let ips = ["eth0", "eth1", "eth2"].map(|ifname| {
        let result = host.plugin("bridge").add(&conf(), &pod, ifname).result();
        address(&result).to_owned()
    });
    kea.holds(&ips.each_ref().map(String::as_str));
    // One network more on the same interface name is another lease, and DEL takes only its own.
    host.plugin("bridge").del(&conf(), &pod, "eth1").done();
    kea.holds(&[&ips[0], &ips[2]]);
    host.plugin("bridge").del(&conf().set("name", "another"), &pod, "eth7").done();
    kea.holds(&[&ips[0], &ips[2]]);
}

#[test]
fn del_may_come_twice_and_at_once() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    add(&host, &pod);
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| host.plugin("dhcp").del(&conf(), &pod, "eth0").done());
        }
    });
    kea.nth_received(1, "DHCPRELEASE");
    kea.holds(&[]);
    host.plugin("dhcp").without("CNI_NETNS").del(&conf(), &pod, "eth0").done();
    del(&host, &pod);
    add(&host, &pod);
    assert_eq!(kea.received("DHCPRELEASE"), 1);
}

#[test]
fn add_again_gives_the_lease_that_is_there() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    let again = host.plugin("dhcp").add(&conf(), &pod, "eth0").result();
    assert_eq!(address(&again), address(&result));
    assert_eq!(kea.received("DHCPDISCOVER"), 1);
    // Twice at once, for an attachment that has none.
    pod.run("ip link set eth0 name old0");
    host.run("ip link add port2 type veth peer name eth5 netns pod");
    host.run("ip link set port2 master br0 up");
    let both: Vec<_> = std::thread::scope(|scope| {
        let adding = [(), ()].map(|()| scope.spawn(|| host.plugin("dhcp").add(&conf(), &pod, "eth5")));
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // The second may be told that the first is on its way.
    let (got, refused): (Vec<_>, Vec<_>) = both.iter().partition(|outcome| outcome.exit == Some(0));
    refused.iter().for_each(|outcome| outcome.error().says(11, &["eth5", "under way"]));
    assert!(!got.is_empty());
    kea.holds_count(2);
}
