//! ADD, CHECK, DEL, GC and STATUS through plugins that make links.

use cni_tests::{Conf, Container, DHCP_SOCKET, DhcpServer, Host, Place, SEGMENT, in_every_version, needs};
use serde_json::json;

use crate::{add, address, addresses, conf, del, kea, records, server};

in_every_version!(round_trip as every_version);

fn round_trip(version: &str) {
    needs!(Dnsmasq);
    let host = Host::new();
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &["--dhcp-option=3,10.77.0.1"]);
    let _daemon = host.dhcp_daemon(&[]);
    let conf = conf().version(version);
    let before = host.after_one_container("bridge", &conf);
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let held = pod.addresses("eth0");
    assert_eq!(held.len(), 1);
    let ip = held[0].strip_suffix("/24").unwrap();
    match version {
        "0.1.0" | "0.2.0" => assert_eq!(result["ip4"]["ip"], *held[0]),
        _ => assert_eq!(addresses(&result), held),
    }
    dnsmasq.holds(&[ip]);
    let lease = dnsmasq.leases().into_values().next().unwrap();
    assert_eq!(lease.mac, pod.link("eth0")["address"].as_str().unwrap());
    // Type 0, then `pod/net/eth0`: the reference's client id.
    assert_eq!(lease.client_id, "00706f642f6e65742f65746830");
    assert_eq!(pod.routes("-4", "default")[0]["gateway"], "10.77.0.1");
    assert!(pod.pings("10.77.0.1"));
    if version >= "0.4.0" {
        host.plugin("bridge").check(&conf.clone().prev(&result), &pod, "eth0").done();
    }
    host.plugin("bridge").del(&conf, &pod, "eth0").done();
    dnsmasq.nth_received(2, "DHCPRELEASE");
    dnsmasq.holds(&[]);
    host.snapshot().assert_same_as(&before, "DEL");
}

/// A master for macvlans on the segment.
fn macvlan(host: &Host) -> Conf {
    host.run("ip link add uplink type veth peer name port-uplink");
    host.run(&format!("ip link set port-uplink master {SEGMENT} up"));
    host.run("ip link set uplink up");
    conf().set("type", "macvlan").set("master", "uplink").remove("bridge")
}

#[test]
fn macvlans_get_leases_too() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let conf = macvlan(&host);
    let _daemon = host.dhcp_daemon(&[]);
    let before = host.after_one_container("macvlan", &conf);
    let pods = ["one", "two"].map(|id| host.container(id));
    let results = pods.each_ref().map(|pod| host.plugin("macvlan").add(&conf, pod, "eth0").result());
    kea.holds(&results.each_ref().map(address));
    assert!(pods[0].pings(address(&results[1])));
    for (pod, result) in pods.iter().zip(&results) {
        host.plugin("macvlan").check(&conf.clone().prev(result), pod, "eth0").done();
        host.plugin("macvlan").del(&conf, pod, "eth0").done();
    }
    kea.holds(&[]);
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn the_release_comes_from_the_leased_address_and_to_its_server() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    del(&host, &pod);
    let line = kea.nth_received(1, "DHCPRELEASE");
    let expected = format!("received from {} to 10.77.0.1 on interface eth0", address(&result));
    assert!(line.contains(&expected), "{line}");
    kea.service.line(&["DHCP4_RELEASE ", "released properly"]);
    kea.holds(&[]);
}

#[test]
fn the_link_may_be_gone_before_del() {
    needs!(Dnsmasq);
    let host = Host::new();
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &[]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    add(&host, &pod);
    pod.run("ip link del eth0");
    del(&host, &pod);
    assert_eq!(records(), 0);
    // The server's lease runs out by itself, and the next ADD of the same attachment gets the same address.
    let held = dnsmasq.addresses();
    let result = add(&host, &pod);
    assert_eq!([address(&result)], held[..]);
    del(&host, &pod);
    dnsmasq.holds(&[]);
}

#[test]
fn check_tells_when_the_lease_is_not_there() {
    needs!(Dnsmasq);
    let host = Host::new();
    let _dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &[]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    let prev = conf().prev(&result);
    host.plugin("dhcp").check(&prev, &pod, "eth0").done();
    let other = host.container("other");
    host.plugin("dhcp").check(&prev, &other, "eth0").error().says(103, &["other"]);
    host.plugin("dhcp").del(&conf(), &pod, "eth0").done();
    host.plugin("dhcp").check(&prev, &pod, "eth0").error().says(103, &["pod"]);
}

#[test]
fn gc_releases_what_is_not_valid_any_more() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pods: Vec<Container> = ["valid", "gone", "dead", "other"].map(|id| host.container(id)).into();
    let other = conf().set("name", "other-net");
    let mut leased = Vec::new();
    for pod in &pods {
        let conf = if pod.id() == "other" { &other } else { &conf() };
        leased.push(address(&host.plugin("bridge").add(conf, pod, "eth0").result()).to_owned());
    }
    pods[2].remove_netns();
    host.plugin("dhcp").gc(&conf(), &[(&pods[0], "eth0")]).done();
    assert_eq!(records(), 2);
    // Where there is no interface any more nobody can send, and the server's lease runs out.
    kea.holds(&[&leased[0], &leased[2], &leased[3]].map(String::as_str));
    host.plugin("bridge").check(&conf().prev(&json!({})), &pods[0], "eth0");
    host.plugin("dhcp").gc(&other, &[]).done();
    assert_eq!(records(), 1);
}

#[test]
fn without_a_daemon_status_is_50_and_add_is_11() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = conf().set("isGateway", false);
    host.ensure_segment();
    let before = host.snapshot();
    host.plugin("dhcp").status(&conf).error().says(50, &[DHCP_SOCKET]);
    host.plugin("bridge").status(&conf).error().says(50, &[DHCP_SOCKET]);
    for plugin in ["dhcp", "bridge"] {
        let error = host.plugin(plugin).add(&conf, &pod, "eth0").error();
        error.says(11, &[DHCP_SOCKET, "dhcp daemon"]);
    }
    host.plugin("dhcp").check(&conf.clone().prev(&json!({})), &pod, "eth0").error().says(11, &[DHCP_SOCKET]);
    host.snapshot().assert_same_as(&before, "a failed ADD");
    assert!(pod.find_link("eth0").is_none());
    host.plugin("bridge").del(&conf, &pod, "eth0").done();
    let _daemon = host.dhcp_daemon(&[]);
    host.plugin("dhcp").status(&conf).done();
    host.plugin("bridge").status(&conf).done();
}
