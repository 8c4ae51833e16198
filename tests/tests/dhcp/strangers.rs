//! Strangers on the segment.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cni_tests::{Container, DhcpServer, Host, LIMIT, Place, needs};

use crate::{add, address, del, server};

/// An offer as it should be, of a server that is none.
fn offer(query: &[u8]) -> Vec<u8> {
    let mut message = query[..240].to_vec();
    message[0] = 2;
    message[16..20].copy_from_slice(&[10, 77, 0, 66]);
    message.extend([53, 1, 2, 54, 4, 10, 77, 0, 99, 51, 4, 0, 0, 0, 9, 1, 4, 255, 255, 255, 0, 255]);
    message
}

/// Answers to a DISCOVER or REQUEST that a client must not believe.
fn nonsense(query: &[u8]) -> Vec<Vec<u8>> {
    let right = offer(query);
    let good = &right[..240];
    let with = |options: &[u8]| [good, options].concat();
    let changed = |at: usize, bytes: &[u8]| {
        let mut message = right.clone();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        message
    };
    vec![
        Vec::new(),
        good[..100].to_vec(),
        good[..239].to_vec(),
        with(&[]),
        with(&[255]),
        with(&[53]),
        with(&[53, 1]),
        with(&[53, 200, 2]),
        with(&[53, 1, 99, 255]),
        with(&[53, 0, 255]),
        with(&[0; 1000]),
        // No server, no mask, a mask with holes, no time, an option that reaches beyond the end.
        with(&[53, 1, 2, 255]),
        with(&[53, 1, 2, 54, 4, 10, 77, 0, 99, 51, 4, 0, 0, 0, 9, 255]),
        with(&[53, 1, 2, 54, 4, 10, 77, 0, 99, 51, 4, 0, 0, 0, 9, 1, 4, 255, 0, 255, 0, 255]),
        with(&[53, 1, 5, 54, 4, 10, 77, 0, 99, 51, 4, 0, 0, 0, 0, 1, 4, 255, 255, 255, 0, 255]),
        with(&[53, 1, 2, 54, 4, 10, 77, 0, 99, 1, 4, 255, 255, 255, 0, 121, 250, 1, 2, 3]),
        // Routes and names that contradict themselves, options in the other fields that point to each other.
        with(&[
            53, 1, 2, 54, 4, 10, 77, 0, 99, 1, 4, 255, 0, 255, 0, 121, 3, 99, 1, 2, 33, 3, 1, 2, 3, 52, 1, 3,
            255,
        ]),
        // For somebody else, from an earlier exchange, no answer at all, other hardware, no cookie.
        changed(28, &[2, 2, 2, 2, 2, 2]),
        changed(4, &[9, 9, 9, 9]),
        changed(0, &[1]),
        changed(1, &[6, 16]),
        changed(236, &[0, 0, 0, 0]),
        // An address nobody can have.
        changed(16, &[0, 0, 0, 0]),
        changed(16, &[255, 255, 255, 255]),
        changed(16, &[127, 0, 0, 1]),
        changed(16, &[224, 0, 0, 1]),
        // A refusal by a server that was not asked.
        with(&[53, 1, 6, 54, 4, 10, 77, 0, 99, 255]),
        vec![0xff; 1400],
    ]
}

/// A stranger's answers to a client's message.
type Answers = fn(&[u8]) -> Vec<Vec<u8>>;

/// Answers everything the segment's clients say, until told to stop; how much it sent.
fn babble(stranger: &Container, answers: Answers, stop: &AtomicBool, sent: &AtomicUsize) {
    let socket = stranger.enter(|| UdpSocket::bind("0.0.0.0:67").unwrap());
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(LIMIT / 1000)).unwrap();
    let mut message = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut message) else { continue };
        if length < 240 {
            continue;
        }
        for answer in answers(&message[..length]) {
            if socket.send_to(&answer, "255.255.255.255:68").is_ok() {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Ends the babbling with the test, whatever comes.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Two pods get their addresses from the real server, and give them back, while a stranger answers first.
fn is_no_hindrance(answers: Answers) {
    let host = Host::new();
    // The real server takes a second for its offers.
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &["--dhcp-reply-delay=1"]);
    let stranger = host.machine("stranger", "10.77.0.99/24");
    stranger.run("ip route add default dev eth0");
    let daemon = host.dhcp_daemon(&["-timeout", "3s"]);
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let stop = Stop(&stop);
        let (stranger, flag, sent) = (&stranger, stop.0, &sent);
        let babbling = scope.spawn(move || babble(stranger, answers, flag, sent));
        let pods = ["one", "two"].map(|id| host.container(id));
        let results = pods.each_ref().map(|pod| add(&host, pod));
        dnsmasq.holds(&results.each_ref().map(address));
        pods.iter().for_each(|pod| del(&host, pod));
        drop(stop);
        babbling.join().unwrap();
    });
    dnsmasq.holds(&[]);
    assert!(sent.load(Ordering::Relaxed) > 0, "the stranger was heard");
    assert!(daemon.end("TERM").success());
}

#[test]
fn nonsense_on_the_segment_changes_nothing() {
    needs!(Dnsmasq);
    // Each of them several times.
    is_no_hindrance(|query| nonsense(query).into_iter().cycle().take(200).collect());
}

#[test]
fn a_server_that_does_not_keep_its_offers_does_not_win() {
    needs!(Dnsmasq);
    is_no_hindrance(|query| vec![offer(query)]);
}
