//! A container with published ports, and who reaches it.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use crate::{Conf, Container, Host};

/// How long a packet may take that is expected to arrive; far above what it takes.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may take: some tries, should the first packet meet an unresolved neighbour.
const CONNECT: Duration = Duration::from_secs(5);
/// How long to wait for one that must not, in milliseconds.
const SILENCE_MS: u16 = 1000;

/// Where packets come from.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// The host itself.
    Host,
    /// A container, or a machine outside.
    Container(&'a Container),
}

impl From<'_> {
    pub(crate) fn run<T: Send>(self, act: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Host => act(),
            Self::Container(container) => container.enter(act),
        }
    }
}

impl Conf {
    /// Plugin `portmap` with these port mappings.
    pub fn portmap(backend: &str, mappings: &Value) -> Self {
        Self::new(json!({
            "cniVersion": "1.0.0", "name": "net", "type": "portmap", "backend": backend,
            "capabilities": { "portMappings": true }, "runtimeConfig": { "portMappings": mappings },
        }))
    }
}

/// A mapping of every address of the host.
pub fn mapping(host_port: u16, container_port: u16, protocol: &str) -> Value {
    json!({ "hostPort": host_port, "containerPort": container_port, "protocol": protocol })
}

impl Host {
    /// A dual-stack container on bridge `br0`, 10.22.0.2 and fd00:22::2 for the first one; returns the result. Its port
    /// is in hairpin mode: where `br_netfilter` is on, a container cannot reach its own mapped port without.
    pub fn attach(&self, pod: &Container) -> Value {
        let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("hairpinMode", true);
        self.plugin("bridge").add(&conf, pod, "eth0").result()
    }

    /// A new container like that, with the ports of `conf` mapped; and the configuration with the result.
    pub fn publish(&self, id: &str, conf: &Conf) -> (Container, Conf) {
        let pod = self.container(id);
        let conf = conf.clone().prev(&self.attach(&pod));
        self.plugin("portmap").add(&conf, &pod, "eth0").result();
        (pod, conf)
    }
}

impl Container {
    /// Listens on a TCP port, both families.
    pub fn listen(&self, port: u16) -> TcpListener {
        self.enter(|| TcpListener::bind(("::", port)).unwrap())
    }

    /// Opens a UDP port, both families.
    pub fn open(&self, port: u16) -> UdpSocket {
        let socket = self.enter(|| UdpSocket::bind(("::", port)).unwrap());
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket
    }
}

/// Whether a TCP connection from there to `to` arrives at `server`: the source address it sees.
pub fn tcp(from: From<'_>, to: &str, server: &TcpListener) -> Option<IpAddr> {
    let to: SocketAddr = to.parse().unwrap();
    let _client = from.run(|| TcpStream::connect_timeout(&to, CONNECT)).ok()?;
    // The client may know first.
    let arrived = poll(&mut [PollFd::new(server.as_fd(), PollFlags::POLLIN)], SILENCE_MS).unwrap() == 1;
    arrived.then(|| server.accept().unwrap().1.ip().to_canonical())
}

/// Whether a UDP packet from there to `to` arrives at `server` and the answer comes back: the source it sees.
pub fn udp(from: From<'_>, to: &str, server: &UdpSocket) -> Option<IpAddr> {
    let to: SocketAddr = to.parse().unwrap();
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let client = from.run(|| UdpSocket::bind((any, 0)).unwrap());
    udp_with(&client, to, server)
}

/// As [`udp`], with a socket that may have sent before.
pub fn udp_with(client: &UdpSocket, to: SocketAddr, server: &UdpSocket) -> Option<IpAddr> {
    client.send_to(b"ask", to).ok()?;
    server.set_read_timeout(Some(Duration::from_millis(SILENCE_MS.into()))).unwrap();
    let mut buffer = [0; 16];
    let (_, peer) = server.recv_from(&mut buffer).ok()?;
    server.send_to(b"answer", peer).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    let (_, answered) = client.recv_from(&mut buffer).expect("the answer comes back");
    assert_eq!(answered, to, "from whom was asked");
    Some(peer.ip().to_canonical())
}
