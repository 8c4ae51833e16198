//! Linux bridges and their ports. `ip link add type bridge`, `bridge link set`, `bridge vlan`.

pub mod uplink;
pub mod vlan;

use cni_types::{Code, Error, IfName, Mac, Result};

use crate::link::request::{self, about_new, about_port, put_kind, put_mtu};
use crate::link::{IFF_PROMISC, IFF_UP, Link, decode, set_flags};
use crate::rtnl::Rtnl;
use crate::{mac, sysctl};

/// How many ports a bridge can have: `BR_MAX_PORTS` (`net/bridge/br_private.h`) is 1024, and number 0 is not used.
pub const MAX_PORTS: usize = 1023;

/// What a bridge is created with; an existing one keeps what it has.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewBridge {
    /// MTU in bytes; 0 leaves the kernel's default.
    pub mtu: u32,
    /// Whether it must filter VLANs.
    pub vlan_filtering: bool,
}

/// What a port is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Port {
    /// Packets may leave by the port they came in.
    pub hairpin: bool,
    /// No packets to other isolated ports.
    pub isolated: bool,
}

/// The bridge named `name`, if there is a link of that name. Changes nothing.
///
/// # Errors
/// Code 7 when the name belongs to a link of another kind, or VLANs are wanted and the bridge does not filter them;
/// code 100 when the kernel cannot filter them, or refuses to say.
pub fn find(host: &Rtnl, name: &IfName, wanted: &NewBridge) -> Result<Option<Link>> {
    let found = host.find_link(name.as_str())?;
    found.iter().try_for_each(|link| refuse_unusable(link, wanted))?;
    Ok(found)
}

/// Makes the bridge named `name`, or takes the one that is there already ([`find`]), and brings it up. A new one gets a
/// random address in the request that creates it, so neither its ports nor udev ever change it. Router advertisements
/// are ignored before a port can bring any.
///
/// # Errors
/// As [`find`]; code 100 for what the kernel refused.
pub fn ensure(host: &Rtnl, name: &IfName, found: Option<Link>, wanted: &NewBridge) -> Result<Link> {
    let link = found.map_or_else(|| create(host, name, wanted), Ok)?;
    sysctl::ignore_router_advertisements(&link);
    if !link.is_up() {
        host.set_flags(&link, IFF_UP, IFF_UP)?;
    }
    Ok(link)
}

fn create(host: &Rtnl, name: &IfName, wanted: &NewBridge) -> Result<Link> {
    let mut body = about_new(name.as_str());
    body.bytes(libc::IFLA_ADDRESS, &mac::random()?.0);
    put_mtu(&mut body, wanted.mtu);
    put_kind(&mut body, "bridge", |data| {
        if wanted.vlan_filtering {
            data.byte(decode::IFLA_BR_VLAN_FILTERING, 1);
        }
    });
    match host.socket.change(&[request::create(format!("create bridge {name}"), body)]) {
        // Another ADD was first.
        Err(refused) if refused.is_exist() => {}
        Err(refused) if refused.is_unsupported() && wanted.vlan_filtering => return Err(cannot_filter()),
        answer => {
            answer?;
            // Without this the bridge cannot ask for IPv6 neighbours for two seconds after it got its first port: its
            // link-local address, made from the address above, would be looked for elsewhere first.
            sysctl::write_if_possible(&format!("ipv6/conf/{name}/accept_dad"), "0");
        }
    }
    let link = host.link(name.as_str())?;
    refuse_unusable(&link, wanted)?;
    Ok(link)
}

/// Whether the kernel can make such a bridge and pairs for it, tried in a throw-away namespace.
///
/// # Errors
/// Code 50 with what it cannot do.
pub fn probe(name: &IfName, wanted: &NewBridge) -> Result<()> {
    crate::try_out("make what ADD needs", &format!("{name} {wanted:?}"), |probe| {
        ensure(probe, name, None, wanted).and_then(|_| crate::veth::probe(probe))
    })
}

fn refuse_unusable(link: &Link, wanted: &NewBridge) -> Result<()> {
    let name = &link.name;
    if link.kind != "bridge" {
        let kind = if link.kind.is_empty() { "a device of no kind" } else { &link.kind };
        return Err(Error::config(format!("{name} already exists but is not a bridge"))
            .because(format!("it is {kind}; choose another name with the key \"bridge\"")));
    }
    match link.vlan_filtering {
        _ if !wanted.vlan_filtering => Ok(()),
        Some(true) => Ok(()),
        // Switching it would change what its present ports may send: that is the operator's to decide.
        Some(false) => Err(Error::config(format!(
            "bridge {name} does not filter VLANs, so containers would not be separated"
        ))
        .because(format!("make it filter them: ip link set {name} type bridge vlan_filtering 1"))),
        None => Err(cannot_filter()),
    }
}

fn cannot_filter() -> Error {
    Error::new(Code::KERNEL, "bridges of this kernel cannot filter VLANs")
        .because("the keys vlan and vlanTrunk need a kernel with CONFIG_BRIDGE_VLAN_FILTERING")
}

/// Whether the bridge's hardware address is none of its own, but that of one of its ports (or of none, when the last
/// port has left): it changes as they come and go, until somebody sets one.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn follows_ports(host: &Rtnl, bridge: &Link) -> Result<bool> {
    let has_none = bridge.mac == Some(Mac([0; 6]));
    Ok(has_none || host.ports(bridge.index)?.iter().any(|port| port.mac == bridge.mac))
}

/// Sets what the host end of the attachment's pair does as a bridge port.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub fn set_port(host: &Rtnl, link: &Link, port: &Port) -> Result<()> {
    // To the bridge alone: as a change of the link, everybody would be told, and IPv6 would walk all routes of the
    // host.
    let mut body = about_port(link.index);
    body.nest(libc::IFLA_PROTINFO, |data| {
        data.byte(decode::IFLA_BRPORT_MODE, port.hairpin.into());
        data.byte(decode::IFLA_BRPORT_ISOLATED, port.isolated.into());
    });
    let doing = format!("set the bridge port flags of {}", link.name);
    Ok(host.socket.change(&[request::set(doing, body)])?)
}

/// Turns promiscuous mode on.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub fn ensure_promiscuous(host: &Rtnl, bridge: &Link) -> Result<()> {
    if bridge.is_promiscuous() {
        return Ok(());
    }
    let doing = format!("turn on promiscuous mode on {}", bridge.name);
    Ok(host.socket.change(&[set_flags(doing, bridge.index, IFF_PROMISC, IFF_PROMISC)])?)
}

/// How many ports the bridge has (at most [`MAX_PORTS`]).
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn port_count(host: &Rtnl, bridge: &Link) -> Result<usize> {
    Ok(host.ports(bridge.index)?.len())
}

/// Explains a refused port: a full bridge says no more than "exchange full".
pub fn explain_full(host: &Rtnl, bridge: &Link, error: Error) -> Error {
    if !error.details.contains("EXFULL") {
        return error;
    }
    let ports = port_count(host, bridge).unwrap_or(MAX_PORTS);
    Error::new(Code::KERNEL, format!("bridge {} is full: it has {ports} of {MAX_PORTS} ports", bridge.name))
        .because(error)
}
