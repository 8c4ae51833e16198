//! The plugins that make links: what there is in the kernel afterwards, and what packets see.

mod announced;
mod bridge_gateway;
mod bridge_l2;
mod bridge_l3;
mod bridge_routes;
mod bridge_vlan;
mod host_device;
mod link;
mod loopback;
mod ptp;
mod reuse;
mod router_advertisements;
