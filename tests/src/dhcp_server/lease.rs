//! The files in which servers keep their leases.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A lease as its server has written it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLease {
    /// Hardware address of the client.
    pub mac: String,
    /// Client identifier, in hexadecimal without separators.
    pub client_id: String,
    /// Host name; empty when there is none.
    pub hostname: String,
}

/// `<expiry> <mac> <address> <name or *> <client id or *>`; the file holds what is leased now.
pub(super) fn read_dnsmasq(line: &str, held: &mut BTreeMap<Ipv4Addr, ServerLease>) {
    let [_, mac, address, hostname, client_id] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("a line of dnsmasq's leases: {line:?}");
    };
    let text = |field: &str| if field == "*" { String::new() } else { field.to_owned() };
    let lease = ServerLease {
        mac: mac.to_owned(),
        client_id: text(client_id).replace(':', ""),
        hostname: text(hostname),
    };
    held.insert(address.parse().unwrap(), lease);
}

/// `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context`; the file
/// grows, and the last line of an address counts.
pub(super) fn read_kea(line: &str, held: &mut BTreeMap<Ipv4Addr, ServerLease>) {
    let fields: Vec<_> = line.split(',').collect();
    // A line that is being written may end early.
    let [address, mac, client_id, lifetime, _, _, _, _, hostname, state, ..] = fields[..] else { return };
    let Ok(address) = address.parse() else { return };
    held.remove(&address);
    if lifetime != "0" && state == "0" {
        let lease = ServerLease {
            mac: mac.to_owned(),
            client_id: client_id.replace(':', ""),
            hostname: hostname.to_owned(),
        };
        held.insert(address, lease);
    }
}
