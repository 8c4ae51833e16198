//! Servers as they differ: two of them, answers by broadcast and not, none, one that is full.

use cni_tests::{DhcpServer, Host, Place, Service, needs};
use serde_json::json;

use crate::{IMPATIENT, add, address, conf, del, kea, linked, records, server};

#[test]
fn of_two_servers_one_is_chosen() {
    needs!(Dnsmasq, Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let other = host.machine("other", "10.77.0.2/24");
    let dnsmasq = DhcpServer::dnsmasq(&other, 0, &[]);
    let _daemon = host.dhcp_daemon(&[]);
    let pods: Vec<_> = (0..8).map(|n| host.container(&format!("pod{n}"))).collect();
    let mut all: Vec<_> = pods.iter().map(|pod| address(&add(&host, pod)).to_owned()).collect();
    all.sort();
    // Every address is of exactly one of them.
    let mut held = [kea.addresses(), dnsmasq.addresses()].concat();
    held.sort();
    assert_eq!(held, all);
    pods.iter().for_each(|pod| del(&host, pod));
    kea.holds(&[]);
    dnsmasq.holds(&[]);
}

/// The destination of the server's answers, as tcpdump sees them on the bridge's port.
fn answers(options: &[&str], flags: &[&str]) -> Vec<String> {
    let host = Host::new();
    let machine = server(&host);
    let mut tcpdump = machine.command("tcpdump");
    let tcpdump = Service::start(
        tcpdump.args(["-Z", "root", "-l", "-n", "-i", "eth0", "udp", "and", "src", "port", "67"]),
    );
    tcpdump.line(&["listening on"]);
    let _dnsmasq = DhcpServer::dnsmasq(&machine, 0, options);
    let _daemon = host.dhcp_daemon(flags);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    tcpdump.nth_line(2, &["BOOTP/DHCP, Reply"]);
    let ip = address(&result).to_owned();
    let lines = tcpdump.lines();
    let replies = lines.iter().filter(|line| line.contains("Reply"));
    replies
        .map(|line| line.split(" > ").nth(1).unwrap().split(':').next().unwrap().replace(&ip, "client"))
        .collect()
}

#[test]
fn answers_may_come_to_the_address_or_to_everybody() {
    // tcpdump becomes another user.
    needs!(Dnsmasq, Tcpdump, UserIds);
    assert_eq!(answers(&[], &[]), ["client.68", "client.68"]);
    assert_eq!(answers(&["--dhcp-broadcast"], &[]), ["255.255.255.255.68"; 2]);
    // The daemon can ask for it.
    assert_eq!(answers(&[], &["-broadcast"]), ["255.255.255.255.68"; 2]);
}

#[test]
fn without_a_server_add_gives_up_and_leaves_nothing() {
    let host = Host::new();
    host.ensure_segment();
    let _daemon = host.dhcp_daemon(&IMPATIENT);
    let before = host.snapshot();
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&conf(), &pod, "eth0").error();
    error.says(104, &["no more tries"]);
    del(&host, &pod);
    pod.remove_netns();
    host.snapshot().assert_same_as(&before, "a failed ADD");
    assert_eq!(records(), 0);
}

#[test]
fn an_exhausted_pool_is_no_more_tries() {
    needs!(Dnsmasq);
    let host = Host::new();
    let range = "--dhcp-range=10.77.0.10,10.77.0.11,120";
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &[range]);
    let _daemon = host.dhcp_daemon(&IMPATIENT);
    let pods = ["one", "two", "three"].map(|id| host.container(id));
    add(&host, &pods[0]);
    add(&host, &pods[1]);
    let before = host.snapshot();
    let error = host.plugin("bridge").add(&conf(), &pods[2], "eth0").error();
    error.says(104, &["no more tries"]);
    del(&host, &pods[2]);
    host.snapshot().assert_same_as(&before, "a failed ADD");
    // What one gives back the other gets.
    del(&host, &pods[0]);
    dnsmasq.holds_count(1);
    add(&host, &pods[2]);
    dnsmasq.holds(&["10.77.0.10", "10.77.0.11"]);
}

#[test]
fn a_link_that_is_down_is_set_up() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = linked(&host);
    let result = host.plugin("dhcp").add(&conf(), &pod, "eth0").result();
    kea.holds(&[address(&result)]);
    assert!(pod.link("eth0")["flags"].as_array().unwrap().contains(&json!("UP")));
    let missing = host.plugin("dhcp").add(&conf(), &pod, "eth1").error();
    assert!(missing.text.contains("eth1"), "{missing:?}");
}
