//! The packet filter: masquerade, spoof check, `portmap` and `firewall`.

mod firewall;
mod firewall_firewalld;
mod firewall_input;
mod firewall_owners;
mod firewall_state;
mod iptables_extensions;
mod layouts;
mod masquerade;
mod node_default;
mod portmap;
mod portmap_faults;
mod portmap_input;
mod portmap_owner;
mod portmap_recycled;
mod portmap_rules;
mod portmap_shared;
mod portmap_verbs;
mod spoof;
