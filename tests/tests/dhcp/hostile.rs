//! Strangers: on the segment, and at the socket.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cni_tests::{Container, DHCP_SOCKET, DhcpServer, Host, LIMIT, Place, needs};

use crate::life::open_files;
use crate::{add, address, conf, del, kea, server};

/// Answers to a DISCOVER or REQUEST that a client must not believe.
fn answers(query: &[u8]) -> Vec<Vec<u8>> {
    let mut good = query[..240].to_vec();
    good[0] = 2;
    good[16..20].copy_from_slice(&[10, 77, 0, 66]);
    let offer = [53, 1, 2, 54, 4, 10, 77, 0, 99, 51, 4, 0, 0, 0, 9, 1, 4, 255, 255, 255, 0, 255];
    let with = |options: &[u8]| [&good[..], options].concat();
    let changed = |at: usize, bytes: &[u8]| {
        let mut message = with(&offer);
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

/// Answers everything the segment's clients say with nonsense, until told to stop; how much it sent.
fn babble(stranger: &Container, stop: &AtomicBool, sent: &AtomicUsize) {
    let socket = stranger.enter(|| UdpSocket::bind("0.0.0.0:67").unwrap());
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(LIMIT / 1000)).unwrap();
    let mut message = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut message) else { continue };
        if length < 240 {
            continue;
        }
        for answer in answers(&message[..length]).iter().cycle().take(200) {
            if socket.send_to(answer, "255.255.255.255:68").is_ok() {
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

#[test]
fn nonsense_on_the_segment_changes_nothing() {
    needs!(Dnsmasq);
    let host = Host::new();
    // The real server answers a second after the stranger.
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &["--dhcp-reply-delay=1"]);
    let stranger = host.machine("stranger", "10.77.0.99/24");
    stranger.run("ip route add default dev eth0");
    let daemon = host.dhcp_daemon(&[]);
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let stop = Stop(&stop);
        let (stranger, flag, sent) = (&stranger, stop.0, &sent);
        let babbling = scope.spawn(move || babble(stranger, flag, sent));
        let pods = ["one", "two"].map(|id| host.container(id));
        let results = pods.each_ref().map(|pod| add(&host, pod));
        let mut leased = results.each_ref().map(address);
        leased.sort();
        dnsmasq.holds(&leased);
        pods.iter().for_each(|pod| del(&host, pod));
        drop(stop);
        babbling.join().unwrap();
    });
    dnsmasq.holds(&[]);
    assert!(sent.load(Ordering::Relaxed) >= 200, "the stranger was heard");
    assert!(daemon.end("TERM").success());
}

/// Opens a connection and says something.
fn say(words: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(DHCP_SOCKET).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    // The daemon may have hung up before the end.
    stream.write_all(words).ok();
    stream
}

/// The daemon closes the connection.
fn is_closed(mut stream: UnixStream) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset, "{e}"),
    }
}

#[test]
fn nonsense_at_the_socket_is_hung_up_on() {
    let host = Host::new();
    let daemon = host.dhcp_daemon(&[]);
    host.plugin("dhcp").status(&conf()).done();
    let before = open_files(&daemon);
    let connect = b"CONNECT /_goRPC_ HTTP/1.0\n\n";
    // What may go on is waited for, but not for long.
    let unfinished = [say(b"\0\0\0\0\0\0\0\0"), say(&[0xff; 10]), say(b""), say(&connect[..9])];
    let long = [b'a'; 100_000];
    for words in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\n\n\n\n",
        b"{}\n",
        b"{\"version\":99,\"method\":\"add\"}\n",
        &long,
        &[&connect[..], &[0; 100]].concat(),
        &[&connect[..], b"\xfc\x7f\xff\xff\xff"].concat(),
        &[&connect[..], b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff"].concat(),
        &[&connect[..], b"\x05hello"].concat(),
    ] {
        is_closed(say(words));
    }
    unfinished.into_iter().for_each(is_closed);
    // Clients that go in the middle.
    for length in 0..connect.len() {
        drop(say(&connect[..length]));
    }
    host.plugin("dhcp").status(&conf()).done();
    assert!(open_files(&daemon) <= before + 1, "descriptors of closed connections");
}

#[test]
fn silent_clients_stop_nobody() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    // They hold their connections open, some in the middle of a message.
    let silent: Vec<_> = (0..300)
        .map(|n| say([&b""[..], b"CONNECT", b"CONNECT /_goRPC_ HTTP/1.0\n\n\x2e\x7f", b"{\"ver"][n % 4]))
        .collect();
    let pod = host.container("pod");
    let result = add(&host, &pod);
    kea.holds(&[address(&result)]);
    del(&host, &pod);
    drop(silent);
    kea.holds(&[]);
    assert!(daemon.end("TERM").success());
}

#[test]
fn a_client_that_hangs_up_gets_no_lease() {
    needs!(Kea);
    let host = Host::new();
    // No server yet: the exchange goes on until the client has gone.
    let machine = server(&host);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    host.run("ip link add port-pod type veth peer name eth0 netns pod");
    host.run("ip link set port-pod master br0 up");
    let mut timeout = vec!["timeout", "-s", "KILL", "1"];
    timeout.extend(["--"]);
    host.plugin("dhcp").under(&timeout).add(&conf(), &pod, "eth0");
    let kea = kea(&machine, [600, 300, 500]);
    // Whatever became of the first, the runtime's DEL is the end of it.
    host.plugin("dhcp").del(&conf(), &pod, "eth0").done();
    let result = host.plugin("dhcp").add(&conf(), &pod, "eth0").result();
    kea.holds(&[address(&result)]);
    host.plugin("dhcp").del(&conf(), &pod, "eth0").done();
    kea.holds(&[]);
}
