//! `dhcp`: leases from real servers, dnsmasq and Kea, on a segment of the test's own.
//!
//! What a server received, what it wrote into its file of leases and what the kernel has are the outcome. Lifetimes are
//! those of the servers; nothing here waits for time to pass, but for the line or the notification that says so.

mod bad_input;
mod cnitool;
mod endurance;
mod faults;
mod ipvlan;
mod life;
mod many;
mod options;
mod process;
mod restart;
mod segment;
mod socket;
mod strangers;
mod upgrade;
mod verbs;

use std::path::Path;

use cni_tests::{Conf, Container, DhcpServer, Host, Place, SEGMENT, Service, file_events};
use serde_json::{Value, json};

/// Where the daemon keeps what it knows.
const STATE: &str = "/run/cni/dhcp.sock.leases";

/// Flags of a daemon that gives up soon.
const IMPATIENT: [&str; 6] = ["-timeout", "500ms", "-resendmax", "1s", "-resendtimeout", "2s"];

/// Plugin `bridge` on the segment, with addresses from dhcp.
fn conf() -> Conf {
    Conf::layer2_bridge().version("1.1.0").set("ipam", json!({ "type": "dhcp" }))
}

/// The server's machine, 10.77.0.1.
fn server(host: &Host) -> Container {
    host.machine("server", "10.77.0.1/24")
}

/// Kea with leases of these lengths in seconds: valid, renewed after, rebound after.
fn kea(machine: &Container, [valid, renew, rebind]: [u32; 3]) -> DhcpServer {
    let times = json!({ "valid-lifetime": valid, "renew-timer": renew, "rebind-timer": rebind });
    DhcpServer::kea(machine, 0, &times)
}

/// ADD of plugin `bridge`.
fn add(host: &Host, pod: &Container) -> Value {
    host.plugin("bridge").add(&conf(), pod, "eth0").result()
}

/// DEL of plugin `bridge`.
fn del(host: &Host, pod: &Container) {
    host.plugin("bridge").del(&conf(), pod, "eth0").done();
}

/// A pod with a link on the segment, as a plugin before its IPAM plugin makes it.
fn linked(host: &Host) -> Container {
    let pod = host.container("pod");
    host.run("ip link add port-pod type veth peer name eth0 netns pod");
    host.run(&format!("ip link set port-pod master {SEGMENT} up"));
    pod
}

/// How many leases the daemon has written down.
fn records() -> usize {
    std::fs::read_dir(STATE).map_or(0, Iterator::count)
}

/// Waits until it has none.
fn no_records() {
    let none = file_events::wait_until(&Path::new(STATE).join("any"), || match records() {
        0 => Ok(()),
        n => Err(n),
    });
    none.unwrap_or_else(|n| panic!("{n} leases are left"));
}

/// The addresses of a result.
fn addresses(result: &Value) -> Vec<&str> {
    result["ips"].as_array().unwrap().iter().map(|ip| ip["address"].as_str().unwrap()).collect()
}

/// The one address of a result, without its prefix length.
fn address(result: &Value) -> &str {
    let [address] = addresses(result)[..] else { panic!("not one address: {result}") };
    address.split_once('/').unwrap().0
}

/// `ip monitor` of a container's addresses; it listens when this returns.
fn address_monitor(pod: &Container) -> Service {
    let monitor = Service::start(pod.command("ip").args(["-o", "monitor", "address"]));
    // It says nothing until something happens.
    while monitor.count(&["127.9.9.9"]) == 0 {
        pod.run("ip address replace 127.9.9.9/32 dev lo");
        pod.run("ip address del 127.9.9.9/32 dev lo");
    }
    monitor
}
