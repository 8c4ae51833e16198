//! What flanneld and the administrator make on a node, spoken with `rtnetlink`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use cni_types::{Doing, Result};
use netlink_packet_route::neighbour::NeighbourFlags;
use rtnetlink::{Handle, LinkVlan, LinkVxlan, RouteMessageBuilder, new_connection};

use super::node::{Node, UPLINK};

/// flannel's device, its network identifier and port.
pub(super) const VXLAN: &str = "flannel.1";
const VNI: u32 = 1;
pub(super) const PORT: u16 = 8472;
/// The VLAN of the pods in the underlay.
const VLAN: u16 = 5;

/// Runs on the node, with a socket there.
fn on<F: Future<Output = std::result::Result<(), rtnetlink::Error>>>(
    node: &Node,
    what: &str,
    work: impl FnOnce(Handle) -> F + Send,
) -> Result<()> {
    node.visit(|| {
        let run = || -> io::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            runtime.block_on(async {
                let (connection, handle, _) = new_connection()?;
                tokio::spawn(connection);
                work(handle).await.map_err(io::Error::other)
            })
        };
        run().doing(format!("cannot {what} on node {}", node.number))
    })
}

/// The hardware address of the node's VXLAN device.
fn vtep(node: &Node) -> [u8; 6] {
    [2, 0, 10, 244, 0, node.number]
}

/// `flannel.1` towards `other`: the device, the way to the other's pods through it, and where their packets are sent.
///
/// # Errors
/// Code 5 with what the kernel refused.
pub(super) fn overlay(node: &Node, other: &Node) -> Result<()> {
    let (uplink, own) = (node.uplink()?.index, node.address());
    let link = LinkVxlan::new(VXLAN, VNI).dev(uplink).local(own).port(PORT).learning(false);
    let link = link.address(vtep(node).to_vec()).mtu(1450).up().build();
    on(node, "make the VXLAN device", |handle| async move { handle.link().add(link).execute().await })?;
    let device = node.visit(|| cni_net::Rtnl::open()?.link(VXLAN))?.index;
    let (gateway, mac, far) = (other.subnet(0), vtep(other), other.address());
    let route = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(gateway, 24).gateway(gateway);
    let route = route.output_interface(device).onlink().build();
    on(node, "show the VXLAN device the way", |handle| async move {
        handle.neighbours().add(device, gateway.into()).link_layer_address(&mac).execute().await?;
        handle
            .neighbours()
            .add_bridge(device, &mac)
            .flags(NeighbourFlags::Own)
            .destination(IpAddr::V4(far))
            .execute()
            .await?;
        handle.route().add(route).execute().await
    })
}

/// The way to the other's pods through the other.
///
/// # Errors
/// As [`overlay`].
pub(super) fn routed(node: &Node, other: &Node) -> Result<()> {
    let (uplink, gateway) = (node.uplink()?.index, other.address());
    let route =
        RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(other.subnet(0), 24).gateway(gateway);
    let route = route.output_interface(uplink).build();
    on(node, "add the route", |handle| async move { handle.route().add(route).execute().await })
}

/// The VLAN on the uplink; its name.
///
/// # Errors
/// As [`overlay`]; also where the kernel has no VLANs.
pub(super) fn vlan(node: &Node) -> Result<String> {
    let name = format!("{UPLINK}.{VLAN}");
    let link = LinkVlan::new(&name, node.uplink()?.index, VLAN).up().build();
    on(node, "make a VLAN link", |handle| async move { handle.link().add(link).execute().await })?;
    Ok(name)
}
