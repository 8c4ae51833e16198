//! The daemon dies and comes back.

use std::os::unix::fs::MetadataExt;

use cni_tests::{Host, Place, Service, needs};
use serde_json::Value;

use crate::{STATE, add, address, address_monitor, conf, del, kea, no_records, records, server};

#[test]
fn a_killed_daemon_goes_on_with_its_leases() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [30, 3, 20]);
    let daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    let monitor = address_monitor(&pod);
    daemon.end("KILL");
    let daemon = host.dhcp_daemon(&[]);
    let line = kea.nth_received(2, "DHCPREQUEST");
    assert!(line.contains(&format!("received from {} to 10.77.0.1", address(&result))), "{line}");
    assert_eq!(kea.received("DHCPDISCOVER"), 1);
    assert_eq!(monitor.count(&["Deleted", address(&result)]), 0);
    host.plugin("dhcp").check(&conf().prev(&result), &pod, "eth0").done();
    // The same once more, ended properly: nothing is released.
    assert!(daemon.end("TERM").success());
    let _daemon = host.dhcp_daemon(&[]);
    kea.nth_received(3, "DHCPREQUEST");
    assert_eq!((kea.received("DHCPDISCOVER"), kea.received("DHCPRELEASE")), (1, 0));
    del(&host, &pod);
    kea.holds(&[]);
}

#[test]
fn del_without_a_daemon_succeeds_and_the_lease_is_given_back() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    let before = host.after_one_container("bridge", &conf());
    let pod = host.container("pod");
    let result = add(&host, &pod);
    daemon.end("KILL");
    del(&host, &pod);
    del(&host, &pod);
    let _daemon = host.dhcp_daemon(&[]);
    let line = kea.nth_received(2, "DHCPRELEASE");
    assert!(line.contains(&format!("received from {} to", address(&result))), "{line}");
    kea.holds(&[]);
    no_records();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn a_lease_that_ran_out_meanwhile_is_taken_away() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [2, 1, 1]);
    let daemon = host.dhcp_daemon(&["-timeout", "1s"]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    let monitor = address_monitor(&pod);
    daemon.end("KILL");
    kea.stop();
    let _daemon = host.dhcp_daemon(&["-timeout", "1s"]);
    monitor.line(&["Deleted", address(&result)]);
    del(&host, &pod);
    assert_eq!(records(), 0);
}

#[test]
fn a_container_that_went_meanwhile_is_forgotten() {
    needs!(Kea);
    let host = Host::new();
    let _kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    let pods = ["gone", "new"].map(|id| host.container(id));
    pods.iter().for_each(|pod| drop(add(&host, pod)));
    assert_eq!(records(), 2);
    daemon.end("KILL");
    for pod in &pods {
        pod.remove_netns();
    }
    // Another namespace under the old one's path is not the container's.
    let new = host.container("new");
    new.run("ip link add eth0 type veth peer name other");
    let _daemon = host.dhcp_daemon(&[]);
    no_records();
}

/// A namespace gets the number of the one that went before it: then path, inode, name and index are the same.
#[test]
fn a_namespace_that_looks_like_the_old_one_is_another() {
    needs!(Kea);
    for with_cookie in [true, false] {
        let host = Host::new();
        let kea = kea(&server(&host), [600, 300, 500]);
        let daemon = host.dhcp_daemon(&[]);
        let pod = host.container("pod");
        add(&host, &pod);
        let index = pod.link("eth0")["ifindex"].clone();
        daemon.end("KILL");
        pod.remove_netns();
        let pod = host.container("pod");
        host.run(&format!("ip link add other type veth peer name eth0 index {index} netns pod"));
        let path = std::fs::read_dir(STATE).unwrap().next().unwrap().unwrap().path();
        let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let namespace = std::fs::metadata(pod.netns()).unwrap();
        (record["device"], record["inode"]) = (namespace.dev().into(), namespace.ino().into());
        if !with_cookie {
            record.as_object_mut().unwrap().remove("netnsCookie");
        }
        std::fs::write(&path, record.to_string()).unwrap();
        let _daemon = host.dhcp_daemon(&[]);
        no_records();
        assert_eq!(kea.received("DHCPRELEASE"), 0, "not from another container's interface");
    }
}

/// A plugin behind the one that asked changes the address; the lease stays.
#[test]
fn an_interface_with_another_mac_address_in_the_same_namespace_is_still_the_one() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [30, 3, 20]);
    let daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    pod.run("ip link set eth0 address 02:00:00:00:00:77");
    daemon.end("KILL");
    let _daemon = host.dhcp_daemon(&[]);
    host.plugin("dhcp").check(&conf().prev(&result), &pod, "eth0").done();
    kea.nth_received(2, "DHCPREQUEST");
}

#[test]
fn a_state_file_that_makes_no_sense_stops_nobody() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    add(&host, &pod);
    daemon.end("KILL");
    let path = std::fs::read_dir(STATE).unwrap().next().unwrap().unwrap().path();
    for nonsense in [&b""[..], b"{", b"{\"version\":99}", &[0; 4096]] {
        std::fs::write(&path, nonsense).unwrap();
        std::fs::write(format!("{STATE}/stray.json"), nonsense).unwrap();
        let daemon: Service = host.dhcp_daemon(&[]);
        host.plugin("dhcp").status(&conf()).done();
        assert!(daemon.end("TERM").success());
    }
    let _daemon = host.dhcp_daemon(&[]);
    del(&host, &pod);
    let result = add(&host, &pod);
    kea.holds(&[address(&result)]);
}

#[test]
fn without_room_for_the_state_add_fails_and_gives_the_address_back() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    host.sh(&format!("mkdir -p {STATE} && mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs {STATE}"));
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&conf(), &pod, "eth0").error();
    assert!(error.text.contains(STATE), "{error:?}");
    assert!(pod.find_link("eth0").is_none());
    kea.holds(&[]);
    host.run(&format!("umount {STATE}"));
    let result = add(&host, &pod);
    kea.holds(&[address(&result)]);
}

#[test]
fn a_daemon_that_hangs_holds_nobody_up_for_good() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    let pods = ["one", "two"].map(|id| host.container(id));
    pods.iter().for_each(|pod| drop(add(&host, pod)));
    daemon.signal("STOP");
    std::thread::scope(|scope| {
        scope.spawn(|| host.plugin("dhcp").status(&conf()).error().says(50, &["/run/cni/dhcp.sock"]));
        for pod in &pods {
            scope.spawn(|| host.plugin("dhcp").del(&conf(), pod, "eth0").done());
        }
    });
    // When it goes on it finds what was asked of it, as long as there is an interface to send from.
    daemon.signal("CONT");
    kea.holds(&[]);
    daemon.end("KILL");
    let _daemon = host.dhcp_daemon(&[]);
    no_records();
    assert_eq!(kea.received("DHCPRELEASE"), 2);
}
