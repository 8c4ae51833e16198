//! Real traffic. The receiver counts, and takes the kernel's clock with every count, so neither the machine's speed nor
//! its load matters: a late count has a late time. Frames are large, so that headers are under 1 % of the traffic.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cni_tests::{Conf, Container, Host, LIMIT, Place};
use nix::sched::{CloneFlags, setns};

use crate::bandwidth::{attached, conf, limited};

/// Bits per second and bytes per second.
const INGRESS: u64 = 16_000_000;
const EGRESS: u64 = 8_000_000;
const BURST: u64 = 1_600_000;

fn enter(place: Option<&Container>) {
    if let Some(container) = place {
        setns(File::open(container.netns()).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
    }
}

/// Sends from one place to the other until `total` bytes have arrived; (time, bytes so far) of every read.
fn transfer(
    from: Option<&Container>,
    to: Option<&Container>,
    address: &str,
    total: u64,
) -> Vec<(Instant, u64)> {
    let address: SocketAddr = format!("{address}:7777").parse().unwrap();
    let (ready, listening) = mpsc::channel();
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            enter(to);
            let listener = TcpListener::bind(address).unwrap();
            ready.send(()).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            let mut counts = Vec::new();
            let (mut bytes, mut chunk) = (0, vec![0; 64 * 1024]);
            while bytes < total {
                let read = stream.read(&mut chunk).expect("traffic arrives") as u64;
                assert_ne!(read, 0, "the sender ended after {bytes} bytes");
                bytes += read;
                counts.push((Instant::now(), bytes));
            }
            counts
        });
        scope.spawn(move || {
            listening.recv().unwrap();
            enter(from);
            let mut stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
            // Ends when the receiver has enough and closes.
            while stream.write_all(&[0; 64 * 1024]).is_ok() {}
        });
        receiver.join().unwrap()
    })
}

/// Bytes per second between the first count of `after` bytes and the last.
fn rate(counts: &[(Instant, u64)], after: u64) -> f64 {
    let first = counts.iter().find(|(_, bytes)| *bytes >= after).unwrap();
    let last = counts.last().unwrap();
    let seconds = last.0.duration_since(first.0).as_secs_f64();
    assert!(seconds > 2.0, "several seconds are measured, not {seconds}");
    (last.1 - first.1) as f64 / seconds
}

fn wired(host: &Host, conf: &Conf) -> Container {
    let pod = attached(host);
    host.run("ip link set host0 mtu 9000");
    host.run("ip address add 10.1.0.1/24 dev host0");
    pod.run("ip link set eth0 mtu 9000");
    pod.run("ip address add 10.1.0.2/24 dev eth0");
    // Seconds of traffic fit into the buffers: what is measured is the limit, not how often the receiver runs.
    for key in ["tcp_rmem", "tcp_wmem"] {
        let enlarge = format!("echo 4096 8388608 8388608 > /proc/sys/net/ipv4/{key}");
        host.sh(&enlarge);
        pod.sh(&enlarge);
    }
    assert!(pod.pings("10.1.0.1"));
    host.plugin("bandwidth").add(conf, &pod, "eth0").result();
    pod
}

fn assert_near(measured: f64, bits: u64, what: &str) {
    let wanted = bits as f64 / 8.0;
    println!("{what}: {measured:.0} bytes/s of {wanted:.0}");
    assert!(
        (0.9 * wanted..=1.1 * wanted).contains(&measured),
        "{what}: {measured} bytes/s, expected {wanted}"
    );
}

#[test]
fn traffic_in_both_directions_has_the_rate_that_was_asked_for() {
    let host = Host::new();
    let pod = wired(&host, &limited(conf("1.0.0"), (INGRESS, BURST), (EGRESS, BURST)));
    // Four seconds each, behind a burst and one second more.
    let after = |bits: u64| BURST / 8 + bits / 8;
    let ingress = transfer(None, Some(&pod), "10.1.0.2", after(INGRESS) + INGRESS / 8 * 4);
    assert_near(rate(&ingress, after(INGRESS)), INGRESS, "ingress");
    let egress = transfer(Some(&pod), None, "10.1.0.1", after(EGRESS) + EGRESS / 8 * 4);
    assert_near(rate(&egress, after(EGRESS)), EGRESS, "egress");
}

/// The default burst must not make the first second a free one.
#[test]
fn the_first_second_has_at_most_one_and_a_half_times_the_rate() {
    let host = Host::new();
    let pod = wired(&host, &limited(conf("1.0.0"), (INGRESS, 0), (EGRESS, 0)));
    for (from, to, address, bits) in
        [(None, Some(&pod), "10.1.0.2", INGRESS), (Some(&pod), None, "10.1.0.1", EGRESS)]
    {
        let counts = transfer(from, to, address, bits / 8 * 2);
        let start = counts[0].0;
        let second = Duration::from_secs(1);
        let until = counts.iter().take_while(|(at, _)| at.duration_since(start) <= second);
        let bytes = until.last().unwrap().1;
        assert!(bytes * 2 <= bits / 8 * 3, "{bytes} bytes in the first second of {} bytes/s", bits / 8);
    }
}
