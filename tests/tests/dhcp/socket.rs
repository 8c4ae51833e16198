//! Strangers at the socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use cni_tests::{DHCP_SOCKET, Host, LIMIT, needs};

use crate::life::open_files;
use crate::{add, address, conf, del, kea, linked, server};

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
    let pod = linked(&host);
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
