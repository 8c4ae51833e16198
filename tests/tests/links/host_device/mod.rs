//! `host-device`: how a device is chosen, moved and given back; CHECK, GC, STATUS; both directions of upgrade; bad
//! input; faults; a network card in the VM.

mod back;
mod bad_input;
mod check;
mod faults;
mod gone;
mod moving;
mod nic;
mod returned;
mod selectors;
mod upgrade;

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

/// The address of `ens5`.
const MAC: &str = "02:00:00:00:00:05";

/// A host with a device `ens5` that is not as a new one is: address, MTU, multicast, up. Its other end, `wire` in a
/// machine `far`, is 10.9.0.1.
fn with_device() -> Host {
    let host = Host::new();
    plug_in(&host);
    host
}

fn plug_in(host: &Host) {
    let far = host.container("far");
    add_device(host, "ens5", &far, "wire");
    far.run("ip address add 10.9.0.1/24 dev wire");
    far.run("ip address add fd00:9::1/64 dev wire nodad");
}

fn add_device(host: &Host, name: &str, far: &Container, wire: &str) {
    host.run(&format!(
        "ip link add {name} address {MAC} mtu 1400 type veth peer name {wire} netns {}",
        far.id()
    ));
    host.run(&format!("ip link set {name} multicast off allmulticast on up"));
    far.run(&format!("ip link set {wire} up"));
}

/// Gives `ens5` with addresses from 10.9.0.0/24 and fd00:9::/64.
fn conf() -> Conf {
    let conf = json!({ "cniVersion": "1.1.0", "name": "net", "type": "host-device", "device": "ens5" });
    Conf::new(conf).ranges(&["10.9.0.0/24", "fd00:9::/64"])
}

/// Without addresses.
fn layer2() -> Conf {
    conf().remove("ipam")
}

/// A link as `ip` has it, without what changes by itself: name, alias, MAC, MTU, kind and the flags somebody set.
fn state(place: &impl Place, name: &str) -> Value {
    let link = place.link(name);
    let flags = link["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap());
    let mut flags: Vec<_> = flags.filter(|f| !["LOWER_UP", "NO-CARRIER", "M-DOWN"].contains(f)).collect();
    flags.sort_unstable();
    json!([
        link["ifname"],
        link["ifalias"],
        link["address"],
        link["mtu"],
        link["linkinfo"]["info_kind"],
        flags
    ])
}

/// Renames `eth0`. Before Linux 6.2 no link that is up can be.
fn rename(pod: &Container, name: &str) {
    pod.run("ip link set eth0 down");
    pod.run(&format!("ip link set eth0 name {name}"));
    pod.run(&format!("ip link set {name} up"));
}

/// The records of devices that are away.
fn records() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/run/cni/host-device") else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
