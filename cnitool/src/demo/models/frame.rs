//! Frames on the wire, as a packet socket sees them arrive.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use cni_types::{Code, Doing, Error, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use super::exchange::PORT;
use super::fabric;
use super::node::Node;

/// How long a frame may be on its way.
const PATIENCE: Duration = Duration::from_secs(2);
const UDP: u8 = 17;
/// `TPID` of a VLAN tag, IPv4 (IEEE 802.1Q, RFC 894).
const TAG: u16 = 0x8100;
const IPV4: u16 = 0x0800;

/// A packet socket on a node.
pub(super) struct Tap {
    socket: OwnedFd,
    uplink: usize,
}

/// What a frame says: who sent it to whom, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    macs: [[u8; 6]; 2],
    vlan: Option<u16>,
    ips: [Ipv4Addr; 2],
    /// Bytes of the IP packet.
    pub(super) length: u16,
    port: u16,
    /// The VXLAN's number and the frame in it.
    inner: Option<(u32, Box<Frame>)>,
}

impl Tap {
    /// # Errors
    /// Code 5 when the kernel gives no such socket.
    pub(super) fn open(node: &Node) -> Result<Self> {
        let uplink = usize::try_from(node.uplink()?.index).unwrap_or_default();
        let socket = node.visit(|| {
            let all = SockProtocol::EthAll;
            let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, all);
            socket.map_err(io::Error::from).doing("cannot listen to the wire")
        })?;
        let tick = TimeVal::new(0, 100_000);
        setsockopt(&socket, sockopt::ReceiveTimeout, &tick)
            .map_err(io::Error::from)
            .doing("cannot wait for frames")?;
        Ok(Self { socket, uplink })
    }

    /// The next frame that carries the probe.
    ///
    /// # Errors
    /// Code 5 when none comes.
    pub(super) fn next(&self) -> Result<Frame> {
        let started = Instant::now();
        let mut buffer = [0; 9216];
        loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buffer) {
                Ok((length, from)) if from.is_some_and(|from| from.ifindex() == self.uplink) => {
                    match Frame::read(&buffer[..length]) {
                        Some(frame) if frame.carries_probe() => return Ok(frame),
                        _ => {}
                    }
                }
                Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(e) => return Err(Error::io("cannot listen to the wire", &e.into())),
            }
            if started.elapsed() > PATIENCE {
                return Err(Error::new(Code::IO, "the packet was not seen on the wire"));
            }
        }
    }
}

impl Frame {
    /// `None` for what is no UDP over IPv4.
    fn read(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let mac = |at: usize| bytes.get(at..at + 6)?.try_into().ok();
        let (vlan, at) = match number(12)? {
            TAG => (Some(number(14)? & 0x0fff), 18),
            _ => (None, 14),
        };
        let header = usize::from(bytes.get(at)? & 0x0f) * 4;
        if number(at - 2)? != IPV4 || *bytes.get(at + 9)? != UDP {
            return None;
        }
        let ip = |at: usize| {
            let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets))
        };
        let udp = at + header;
        let port = number(udp + 2)?;
        let inner = (port == fabric::PORT).then(|| {
            let vni =
                u32::from_be_bytes([0, *bytes.get(udp + 12)?, *bytes.get(udp + 13)?, *bytes.get(udp + 14)?]);
            Some((vni, Box::new(Self::read(bytes.get(udp + 16..)?)?)))
        });
        Some(Self {
            macs: [mac(6)?, mac(0)?],
            vlan,
            ips: [ip(at + 12)?, ip(at + 16)?],
            length: number(at + 2)?,
            port,
            inner: inner.flatten(),
        })
    }

    fn carries_probe(&self) -> bool {
        self.port == PORT || self.inner.as_ref().is_some_and(|(_, inner)| inner.carries_probe())
    }

    /// The frame's layers, outermost first.
    pub(super) fn layers(&self) -> Vec<String> {
        let mut layers = vec![self.to_string()];
        if let Some((vni, inner)) = &self.inner {
            layers.push(format!("VXLAN {vni}"));
            layers.extend(inner.layers());
        }
        layers
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mac = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
        let [from, to] = self.macs.map(mac);
        write!(f, "{from} → {to}")?;
        if let Some(vlan) = self.vlan {
            write!(f, "  VLAN {vlan}")?;
        }
        write!(f, "  {} → {}  UDP {}, {} bytes", self.ips[0], self.ips[1], self.port, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A UDP packet to `port` with `load`, in a frame.
    fn frame(port: u16, load: &[u8]) -> Vec<u8> {
        let length = u16::try_from(28 + load.len()).unwrap();
        let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        bytes.extend([0x45, 0]);
        bytes.extend(length.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7]);
        bytes.extend(port.to_be_bytes());
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(load);
        bytes
    }

    #[test]
    fn a_frame_in_a_frame() {
        let inner = frame(PORT, b"hello");
        let load = [&[8, 0, 0, 0, 0, 0, 1, 0], inner.as_slice()].concat();
        let outer = Frame::read(&frame(fabric::PORT, &load)).unwrap();
        assert!(outer.carries_probe());
        assert_eq!(outer.layers().len(), 3);
        assert_eq!(outer.layers()[1], "VXLAN 1");
        assert_eq!(outer.length, 28 + 8 + 14 + 33);
        assert!(Frame::read(&inner).unwrap().carries_probe());
        assert!(!Frame::read(&frame(53, b"")).unwrap().carries_probe());
        for cut in 0..inner.len() {
            let _ = Frame::read(&inner[..cut]);
        }
    }
}
