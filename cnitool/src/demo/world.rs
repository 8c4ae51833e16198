//! The host's cable to the world outside. The world has no route back to the containers: only what leaves with the
//! host's address gets an answer.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use cni_net::{IFF_UP, Netns, Rtnl, sysctl, veth};
use cni_types::{AttachmentId, Cidr, Code, ContainerId, Doing, Error, Family, IfName, NetworkName, Result};

use super::stage;

/// Addresses that are for documentation only (RFC 5737, RFC 3849): the host's end and the outside's.
const CABLE: [(&str, &str); 2] =
    [("198.51.100.2/24", "198.51.100.1/24"), ("2001:db8:51::2/64", "2001:db8:51::1/64")];
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The world outside.
pub(super) struct World {
    netns: Netns,
    /// The host's addresses on the cable, IPv4 and IPv6.
    pub(super) host: [IpAddr; 2],
    /// The world's addresses, IPv4 and IPv6.
    pub(super) outside: [IpAddr; 2],
}

impl World {
    /// Makes the world and the cable to it.
    ///
    /// # Errors
    /// Code 8 or 100 for what the kernel refused.
    pub(super) fn make(host: &Rtnl) -> Result<Self> {
        let netns = stage::namespace("outside")?;
        // A machine may rule out IPv6 for the links it does not know yet; here it is wanted.
        let allow_ipv6 = || sysctl::write_if_possible("ipv6/conf/default/disable_ipv6", "0");
        allow_ipv6();
        netns.enter(allow_ipv6)?;
        let inside = Rtnl::open_in(&netns)?;
        let id = AttachmentId {
            network: NetworkName::new("outside")?,
            container_id: ContainerId::new("host")?,
            ifname: IfName::new("uplink")?,
        };
        let cable = veth::create(host, &inside, &netns, &id, &veth::NewPair::default())?;
        let far = inside.link("uplink")?;
        for (near_address, far_address) in CABLE {
            host.ensure_address(cable.host.index, &cable.host.name, cidr(near_address)?)?;
            inside.ensure_address(far.index, "uplink", cidr(far_address)?)?;
        }
        inside.set_flags(&far, IFF_UP, IFF_UP)?;
        let [v4, v6] = CABLE;
        Ok(Self {
            netns,
            host: [cidr(v4.0)?.ip(), cidr(v6.0)?.ip()],
            outside: [cidr(v4.1)?.ip(), cidr(v6.1)?.ip()],
        })
    }

    /// Sends a datagram from the container to the world and one back; the source address that the world saw.
    ///
    /// # Errors
    /// Code 5 when a datagram does not arrive within a second.
    pub(super) fn seen_from(&self, container: &Netns, family: Family) -> Result<IpAddr> {
        let to = self.outside[family];
        let doing = || format!("cannot exchange datagrams with {to}");
        // A socket stays in the namespace it was made in.
        let world = self.netns.enter(socket)?.doing(doing())?;
        let inside = container.enter(socket)?.doing(doing())?;
        let port = world.local_addr().doing(doing())?.port();
        inside.send_to(b"who am I?", SocketAddr::new(mapped(to), port)).doing(doing())?;
        let mut buffer = [0; 64];
        let (_, from) = world.recv_from(&mut buffer).doing(format!("{}: nothing arrived", doing()))?;
        world.send_to(b"you are", from).doing(doing())?;
        let (length, _) = inside.recv_from(&mut buffer).doing(format!("{}: no answer came back", doing()))?;
        if buffer.get(..length) == Some(b"you are".as_slice()) {
            Ok(from.ip().to_canonical())
        } else {
            Err(Error::new(Code::IO, format!("{}: the answer is not the one sent", doing())))
        }
    }
}

/// One socket for both families.
fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn mapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
        IpAddr::V6(_) => ip,
    }
}

fn cidr(text: &str) -> Result<Cidr> {
    text.parse().map_err(Error::config)
}
