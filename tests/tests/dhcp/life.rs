//! A lease over time: renewed, rebound, refused, expired, orphaned.

use std::thread;
use std::time::Instant;

use cni_tests::{Container, DhcpServer, Host, LIMIT, Place, Service, needs};
use serde_json::json;

use crate::{add, address, address_monitor, conf, del, kea, no_records, records, server};

/// A pod with a lease of four seconds that is renewed every second.
fn short_lease(host: &Host) -> (Container, DhcpServer, Service, Container, String) {
    let machine = server(host);
    let kea = kea(&machine, [4, 1, 3]);
    let daemon = host.dhcp_daemon(&["-timeout", "1s"]);
    let pod = host.container("pod");
    let ip = address(&add(host, &pod)).to_owned();
    (machine, kea, daemon, pod, ip)
}

#[test]
fn it_is_renewed_by_its_server_alone() {
    needs!(Kea);
    let host = Host::new();
    let (_machine, kea, _daemon, pod, ip) = short_lease(&host);
    let monitor = address_monitor(&pod);
    // More than one lifetime.
    for n in 2..8 {
        let line = kea.nth_received(n, "DHCPREQUEST");
        assert!(line.contains(&format!("received from {ip} to 10.77.0.1 on interface eth0")), "{line}");
    }
    kea.holds(&[&ip]);
    assert_eq!(kea.received("DHCPDISCOVER"), 1);
    assert_eq!(monitor.count(&["Deleted", &ip]), 0);
    assert!(pod.pings("10.77.0.1"));
    del(&host, &pod);
    kea.holds(&[]);
}

#[test]
fn another_server_takes_over() {
    needs!(Kea);
    let host = Host::new();
    let (_machine, first, _daemon, pod, ip) = short_lease(&host);
    let monitor = address_monitor(&pod);
    let leases = std::fs::read(first.file()).unwrap();
    first.stop();
    let machine = host.machine("standby", "10.77.0.2/24");
    std::fs::create_dir_all("/run/dhcp-servers/standby").unwrap();
    std::fs::write("/run/dhcp-servers/standby/kea.csv", leases).unwrap();
    let second = kea(&machine, [4, 1, 3]);
    let line = second.nth_received(1, "DHCPREQUEST");
    assert!(line.contains(&format!("received from {ip} to 255.255.255.255")), "{line}");
    // From now on it is asked alone.
    let line = second.nth_received(2, "DHCPREQUEST");
    assert!(line.contains(&format!("received from {ip} to 10.77.0.2")), "{line}");
    second.nth_received(5, "DHCPREQUEST");
    assert_eq!((second.received("DHCPDISCOVER"), monitor.count(&["Deleted", &ip])), (0, 0));
    del(&host, &pod);
    let line = second.nth_received(1, "DHCPRELEASE");
    assert!(line.contains(&format!("received from {ip} to 10.77.0.2")), "{line}");
    second.holds(&[]);
}

#[test]
fn the_server_goes_and_comes_back() {
    needs!(Kea);
    let host = Host::new();
    let machine = server(&host);
    let first = kea(&machine, [20, 1, 3]);
    let _daemon = host.dhcp_daemon(&["-timeout", "1s"]);
    let pod = host.container("pod");
    let ip = address(&add(&host, &pod)).to_owned();
    let monitor = address_monitor(&pod);
    first.nth_received(2, "DHCPREQUEST");
    first.stop();
    let second = kea(&machine, [20, 1, 3]);
    second.nth_received(2, "DHCPREQUEST");
    assert_eq!((second.received("DHCPDISCOVER"), monitor.count(&["Deleted", &ip])), (0, 0));
    second.holds(&[&ip]);
}

#[test]
fn expiry_takes_the_address_away_and_says_so() {
    needs!(Kea);
    let host = Host::new();
    let (_machine, kea, daemon, pod, ip) = short_lease(&host);
    let monitor = address_monitor(&pod);
    let result = json!({ "cniVersion": "1.1.0", "ips": [{ "address": format!("{ip}/24") }] });
    host.plugin("dhcp").check(&conf().prev(&result), &pod, "eth0").done();
    kea.stop();
    monitor.line(&["Deleted", &ip]);
    daemon.line(&[&ip, "pod"]);
    assert_eq!(pod.addresses("eth0"), [""; 0]);
    let error = host.plugin("dhcp").check(&conf().prev(&result), &pod, "eth0").error();
    error.says(103, &["pod"]);
    del(&host, &pod);
    assert_eq!(records(), 0);
}

#[test]
fn a_server_that_moved_to_another_network_refuses() {
    needs!(Kea, Dnsmasq);
    let host = Host::new();
    let (machine, first, daemon, pod, ip) = short_lease(&host);
    let monitor = address_monitor(&pod);
    first.stop();
    machine.run("ip address add 10.77.9.1/24 dev eth0");
    machine.run("ip address del 10.77.0.1/24 dev eth0");
    let second = DhcpServer::dnsmasq(&machine, 9, &["--dhcp-authoritative"]);
    second.service.line(&["DHCPNAK(eth0)", &ip]);
    // Another address is no help to a container that was told this one: only ADD can give it one.
    monitor.line(&["Deleted", &ip]);
    daemon.line(&[&ip]);
    assert_eq!(pod.addresses("eth0"), [""; 0]);
    del(&host, &pod);
    assert_eq!(records(), 0);
    second.holds(&[]);
}

#[test]
fn a_namespace_that_goes_ends_its_lease() {
    needs!(Kea);
    let host = Host::new();
    let (_machine, kea, daemon, pod, _) = short_lease(&host);
    let monitor = Service::start(host.command("ip").args(["-o", "monitor", "link"]));
    kea.nth_received(2, "DHCPREQUEST");
    let descriptors = open_files(&daemon);
    // Nobody but the runtime keeps the namespace: it goes, and its links with it.
    pod.remove_netns();
    monitor.line(&["Deleted"]);
    no_records();
    assert!(open_files(&daemon) <= descriptors);
    del(&host, &pod);
}

/// How many descriptors a process has open.
pub(crate) fn open_files(service: &Service) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", service.pid())).unwrap().count()
}

/// The clock of a lease goes on while the machine is suspended: what the daemon waits by has to do so, too.
#[test]
fn a_lease_is_waited_for_by_the_clock_that_counts_suspension() {
    needs!(Kea);
    let host = Host::new();
    let _kea = kea(&server(&host), [4000, 1000, 3000]);
    let daemon = host.dhcp_daemon(&[]);
    for name in ["one", "two"] {
        add(&host, &host.container(name));
    }
    let timer = || {
        let timers: Vec<_> = std::fs::read_dir(format!("/proc/{}/fdinfo", daemon.pid()))
            .unwrap()
            .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
            .filter(|text| text.contains("clockid:"))
            .collect();
        let [timer] = <[String; 1]>::try_from(timers)
            .unwrap_or_else(|timers| panic!("not one timer for all leases: {timers:?}"));
        timer
    };
    let value = |timer: &str, key: &str| {
        timer.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned()
    };
    // CLOCK_BOOTTIME (clockid_t, linux/time.h).
    assert_eq!(value(&timer(), "clockid:"), "7", "{}", timer());
    // What an exchange waited for may have to pass before it is the renewal's turn.
    let renewal = || {
        let left = value(&timer(), "it_value:");
        let seconds: u32 = left.trim_matches(['(', ')']).split(',').next().unwrap().trim().parse().unwrap();
        (100..=1000).contains(&seconds)
    };
    let started = Instant::now();
    while !renewal() {
        assert!(started.elapsed() < LIMIT, "it is not set for the first renewal: {}", timer());
        thread::yield_now();
    }
}

#[test]
fn a_link_that_is_deleted_ends_its_lease() {
    needs!(Kea);
    let host = Host::new();
    let (_machine, kea, _daemon, pod, _) = short_lease(&host);
    kea.nth_received(2, "DHCPREQUEST");
    pod.run("ip link del eth0");
    no_records();
    // The same attachment can be made again at once.
    add(&host, &pod);
    del(&host, &pod);
}
