//! Echo requests of our own (RFC 792, RFC 4443): no `ping` needed.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use cni_net::Netns;
use cni_types::{Code, Doing, Error, Family, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use super::signals;

/// Echo requests per measurement: an odd number, for the median.
pub(super) const COUNT: u16 = 5;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the identifier field holds; the socket is alone in its namespace, so any number will do.
const IDENTIFIER: u16 = 0xc21;

/// The median round-trip time of [`COUNT`] echo requests from the namespace to `to`.
///
/// # Errors
/// Code 5 when one gets no answer within a second, or cannot be sent.
pub(super) fn measure(from: &Netns, to: IpAddr) -> Result<Duration> {
    let doing = || format!("ping {to} from {}", from.path().display());
    let socket = from.enter(|| open(Family::of(to)))?.map_err(io::Error::from).doing(doing())?;
    let mut times = Vec::new();
    for sequence in 0..COUNT {
        signals::refuse_when_caught()?;
        times.push(exchange(&socket, to, sequence).doing(doing())?);
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn open(family: Family) -> nix::Result<OwnedFd> {
    let (family, protocol) = match family {
        Family::V4 => (AddressFamily::Inet, SockProtocol::Icmp),
        Family::V6 => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    // Short, so that other packets or none do not keep the loop from looking at its deadline.
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, 100_000))?;
    Ok(socket)
}

fn exchange(socket: &OwnedFd, to: IpAddr, sequence: u16) -> Result<Duration> {
    let packet = request(Family::of(to), sequence);
    let started = Instant::now();
    let sent = match to {
        IpAddr::V4(ip) => sendto(
            socket.as_raw_fd(),
            &packet,
            &SockaddrIn::from(std::net::SocketAddrV4::new(ip, 0)),
            MsgFlags::empty(),
        ),
        IpAddr::V6(ip) => {
            let to = SockaddrIn6::from(std::net::SocketAddrV6::new(ip, 0, 0, 0));
            sendto(socket.as_raw_fd(), &packet, &to, MsgFlags::empty())
        }
    };
    sent.map_err(io::Error::from).doing("cannot send")?;
    let mut buffer = [0; 256];
    loop {
        match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(length) if is_reply(&buffer[..length], Family::of(to), sequence) => {
                return Ok(started.elapsed());
            }
            Ok(_) => {}
            Err(Errno::EINTR) => signals::refuse_when_caught()?,
            // Only with nothing left to read: an answer that waited for a busy machine still counts.
            Err(Errno::EAGAIN) if started.elapsed() >= PATIENCE => {
                return Err(Error::new(Code::IO, format!("no answer within {PATIENCE:?}")));
            }
            Err(Errno::EAGAIN) => {}
            Err(e) => return Err(Error::io("cannot receive", &e.into())),
        }
    }
}

/// An echo request. The kernel fills in the checksum of ICMPv6 (RFC 3542, section 3.1), not that of ICMP.
fn request(family: Family, sequence: u16) -> Vec<u8> {
    let mut packet = vec![if family == Family::V4 { 8 } else { 128 }, 0, 0, 0];
    packet.extend(IDENTIFIER.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(b"the quick brown fox jumps over the lazy dog. 0123456789!");
    if family == Family::V4 {
        let sum = checksum(&packet).to_be_bytes();
        packet[2..4].copy_from_slice(&sum);
    }
    packet
}

/// The Internet checksum (RFC 1071).
fn checksum(packet: &[u8]) -> u16 {
    let words =
        packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// A raw IPv4 socket delivers the IP header too, a raw IPv6 socket does not.
fn is_reply(packet: &[u8], family: Family, sequence: u16) -> bool {
    let (skip, kind) = match family {
        Family::V4 => (packet.first().map_or(0, |b| usize::from(b & 0xf) * 4), 0),
        Family::V6 => (0, 129),
    };
    let Some(message) = packet.get(skip..) else { return false };
    message.first() == Some(&kind)
        && message.get(4..6) == Some(IDENTIFIER.to_be_bytes().as_slice())
        && message.get(6..8) == Some(sequence.to_be_bytes().as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_sums_up_to_zero() {
        assert_eq!(checksum(&request(Family::V4, 3)), 0);
        // The example of RFC 1071, section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn only_the_answer_counts() {
        let reply = |kind: u8| {
            let mut packet = request(Family::V6, 7);
            packet[0] = kind;
            packet
        };
        assert!(is_reply(&reply(129), Family::V6, 7));
        assert!(!is_reply(&reply(129), Family::V6, 8));
        assert!(!is_reply(&reply(128), Family::V6, 7), "our own request, on loopback");
        assert!(!is_reply(&[], Family::V4, 7) && !is_reply(&[0x4f, 0], Family::V4, 7));
        let mut v4 = vec![0x45; 20];
        v4.extend(reply(0));
        assert!(is_reply(&v4, Family::V4, 7));
    }
}
