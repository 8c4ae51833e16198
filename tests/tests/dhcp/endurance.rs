//! Thousands of renewals: the daemon has no more memory and no more descriptors afterwards than before.
//!
//! `CNI_TEST_RENEWALS` sets how many; 10 000, the default, take about a minute.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cni_tests::{Container, Host, Place, Service, needs};
use serde_json::json;

use crate::life::open_files;
use crate::{address, conf, server};

/// Leases at once.
const LEASES: usize = 200;
/// What a lease may take, in kB.
const LEASE_MAX: usize = 16;

/// Bytes that the heap may grow for a renewal: a leak of 64 makes 180 of it, settling took 18 at most.
const RENEWAL_MAX: usize = 64;
/// What each of the threads that close sockets may take in kB, once: pages of its stack, and an arena of glibc's for
/// several. How many run at once, 32 at most, is the load's doing.
const CLOSERS_MAX: usize = 32 * 24;

/// When the sockets of a daemon that has nothing to do are closed at the latest.
const CLOSED_WITHIN: Duration = Duration::from_secs(120);

/// Resident memory of a process in kB: all, and that of its heap, where the event loop's own thread has all it keeps.
fn resident(service: &Service) -> [usize; 2] {
    let maps = fs::read_to_string(format!("/proc/{}/smaps", service.pid())).unwrap();
    let mut resident = [0; 2];
    let mut is_heap = false;
    for line in maps.lines() {
        match line
            .strip_prefix("Rss:")
            .map(|size| size.trim().trim_end_matches(" kB").parse::<usize>().unwrap())
        {
            Some(size) => {
                resident[0] += size;
                resident[1] += if is_heap { size } else { 0 };
            }
            // A mapping; what is said of it begins with a capital.
            None if !line.starts_with(|c: char| c.is_ascii_uppercase()) => is_heap = line.ends_with("[heap]"),
            None => {}
        }
    }
    resident
}

/// Pods with a link on the segment.
fn pods(host: &Host) -> Vec<Container> {
    let mut batch = String::new();
    let pods = (0..LEASES).map(|n| {
        batch.push_str(&format!("link add port{n} type veth peer name eth0 netns pod{n}\n"));
        batch.push_str(&format!("link set port{n} master br0 up\n"));
        host.container(&format!("pod{n}"))
    });
    let pods: Vec<_> = pods.collect();
    host.feed("ip -batch -", &batch);
    pods
}

/// `act` on all pods, four at a time.
fn each(pods: &[Container], act: impl Fn(&Container) + Sync) {
    std::thread::scope(|scope| {
        for pods in pods.chunks(pods.len() / 4) {
            scope.spawn(|| pods.iter().for_each(&act));
        }
    });
}

#[test]
fn ten_thousand_renewals_cost_neither_memory_nor_descriptors() {
    needs!(Kea);
    let renewals = std::env::var("CNI_TEST_RENEWALS").map_or(10_000, |n| n.parse().unwrap());
    let host = Host::new();
    let times = json!({ "valid-lifetime": 90, "renew-timer": 1, "rebind-timer": 60 });
    let logger = json!([{
        "name": "kea-dhcp4", "severity": "INFO",
        "output_options": [{ "output": "stdout", "flush": true, "pattern": "%m\n" }],
    }]);
    let mut keys = times;
    keys["loggers"] = logger;
    let kea = cni_tests::DhcpServer::kea(&server(&host), 0, &keys);
    let daemon = host.dhcp_daemon(&[]);
    let pods = pods(&host);
    host.plugin("dhcp").add(&conf(), &pods[0], "eth0").result();
    let ([empty, _], descriptors) = (resident(&daemon), open_files(&daemon));
    each(&pods, |pod| drop(host.plugin("dhcp").add(&conf(), pod, "eth0").result()));
    // One line for each lease, new or renewed.
    let leased = |n: usize| kea.service.nth_line(LEASES + n, &["DHCP4_LEASE_ALLOC"]);
    leased(renewals / 10);
    let [before, heap] = resident(&daemon);
    // In steps, since there is a limit to each wait.
    (renewals / 10..=renewals).step_by(renewals / 100).for_each(|n| drop(leased(n)));
    let [after, heap_after] = resident(&daemon);
    println!(
        "{renewals} renewals of {LEASES} leases: {empty} kB with one lease, {before} kB, of these {heap} of the heap, after \
         a tenth, {after} kB and {heap_after} after all"
    );
    let grown = 1024 * heap_after.saturating_sub(heap) / (renewals - renewals / 10);
    assert!(grown < RENEWAL_MAX, "the heap grew by {grown} bytes a renewal: {heap} kB, then {heap_after} kB");
    assert!(after <= before + CLOSERS_MAX, "the daemon grew from {before} kB to {after} kB");
    assert!((before - empty) / LEASES < LEASE_MAX, "{} kB per lease", (before - empty) / LEASES);
    kea.holds_count(LEASES);
    let ip = address(&host.plugin("dhcp").add(&conf(), &pods[7], "eth0").result()).to_owned();
    assert!(kea.addresses().contains(&ip));
    assert!(daemon.lines().iter().all(|line| !line.contains("expired")), "{:?}", daemon.lines());
    each(&pods, |pod| host.plugin("dhcp").del(&conf(), pod, "eth0").done());
    // The kernel takes a while to close the sockets that renewals had.
    let end = Instant::now() + CLOSED_WITHIN;
    while open_files(&daemon) > descriptors {
        assert!(Instant::now() < end, "{descriptors} descriptors before, {} afterwards", open_files(&daemon));
        sleep(Duration::from_millis(20));
    }
}
