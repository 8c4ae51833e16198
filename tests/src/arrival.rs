//! Which address of a container a packet to the host arrives at: TCP, UDP and SCTP. SCTP goes by raw sockets, since few
//! kernels have it while most can track and translate it.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::published::From;
use crate::{Container, Place};

/// How long a packet may take that is expected to arrive; far above what it takes.
const LIMIT: Duration = Duration::from_secs(10);
/// The protocol's number.
const SCTP: i32 = 132;

/// A socket of the container on one of its addresses.
enum Server {
    Tcp(TcpListener),
    Udp(UdpSocket),
    Raw(Socket),
}

impl Server {
    fn new(protocol: &str, at: SocketAddr) -> Self {
        match protocol {
            "tcp" => Self::Tcp(TcpListener::bind(at).unwrap()),
            "udp" => Self::Udp(UdpSocket::bind(at).unwrap()),
            _ => {
                let socket = raw(at.ip());
                socket.bind(&SockAddr::from(SocketAddr::new(at.ip(), 0))).unwrap();
                Self::Raw(socket)
            }
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
            Self::Raw(socket) => socket.as_fd(),
        }
    }

    /// Whether what has come is for this port: a raw socket sees them all.
    fn is_for(&mut self, port: u16) -> bool {
        let Self::Raw(socket) = self else { return true };
        let mut packet = [0; 2048];
        let length = socket.read(&mut packet).unwrap();
        // An IPv4 raw socket gets the header of the packet, too.
        let is_ipv4 = socket.local_addr().unwrap().is_ipv4();
        let header = if is_ipv4 { usize::from(packet[0] & 15) * 4 } else { 0 };
        packet[..length].get(header + 2..header + 4) == Some(&port.to_be_bytes()[..])
    }
}

/// The container's address at which something sent to `to` arrives on this port of it.
///
/// # Panics
/// When nothing arrives at any.
pub fn arrives_at(from: From<'_>, to: &str, protocol: &str, pod: &Container, port: u16) -> IpAddr {
    let to: SocketAddr = to.parse().unwrap();
    let addresses = pod.ip("address show").into_iter().filter(|link| link["ifname"] != "lo");
    let addresses = addresses.flat_map(|link| link["addr_info"].as_array().cloned().unwrap_or_default());
    let addresses = addresses.filter(|address| address["scope"] == "global");
    let addresses = addresses.map(|address| address["local"].as_str().unwrap().parse::<IpAddr>().unwrap());
    let addresses: Vec<IpAddr> = addresses.filter(|ip| ip.is_ipv4() == to.is_ipv4()).collect();
    let server = |ip: &IpAddr| Server::new(protocol, SocketAddr::new(*ip, port));
    let mut servers: Vec<_> = pod.enter(|| addresses.iter().map(server).collect());
    // Kept open until it is known where it went.
    let _client = from.run(|| send(protocol, to));
    loop {
        let mut polled: Vec<_> = servers.iter().map(|s| PollFd::new(s.fd(), PollFlags::POLLIN)).collect();
        let limit = PollTimeout::try_from(LIMIT).unwrap();
        assert!(poll(&mut polled, limit).unwrap() > 0, "{protocol} {to} arrives at none of {addresses:?}");
        let at = polled.iter().position(|fd| fd.any() == Some(true)).unwrap();
        if servers[at].is_for(port) {
            return addresses[at];
        }
    }
}

fn send(protocol: &str, to: SocketAddr) -> Box<dyn std::any::Any + Send> {
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    match protocol {
        "tcp" => Box::new(TcpStream::connect_timeout(&to, LIMIT)),
        "udp" => {
            let client = UdpSocket::bind((any, 0)).unwrap();
            client.send_to(b"ask", to).unwrap();
            Box::new(client)
        }
        _ => {
            let mut client = raw(to.ip());
            client.connect(&SockAddr::from(SocketAddr::new(to.ip(), 0))).unwrap();
            client.write_all(&sctp_init(to.port())).unwrap();
            Box::new(client)
        }
    }
}

fn raw(ip: IpAddr) -> Socket {
    let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    Socket::new(domain, Type::RAW, Some(SCTP.into())).unwrap()
}

/// A packet with one INIT chunk (RFC 9260, sections 3.1 and 3.3.2), from another port each time.
fn sctp_init(port: u16) -> Vec<u8> {
    use std::sync::atomic::{AtomicU16, Ordering};
    static SOURCE: AtomicU16 = AtomicU16::new(40_000);
    let source = SOURCE.fetch_add(1, Ordering::Relaxed);
    let mut packet = [source.to_be_bytes(), port.to_be_bytes()].concat();
    packet.extend([0; 8]);
    packet.extend([1, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
    let checksum = crc32c(&packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
    packet
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
