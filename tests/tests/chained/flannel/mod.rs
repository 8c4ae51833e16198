//! `flannel`: what the delegate gets, what is left when, two nodes that reach each other.

mod bad_input;
mod check;
mod del;
mod delegate;
mod faults;
mod gc;
mod handover;
mod nodes;
mod spy;
mod status;

use cni_tests::{Conf, Host, Place};
use serde_json::json;

const DATA_DIR: &str = "/var/lib/cni/flannel";

const SUBNET_ENV: &str = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\n\
    FLANNEL_IPMASQ=true\n";

const DUAL_STACK: &str = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\n\
    FLANNEL_IPV6_NETWORK=fd00:244::/48\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";

/// What flanneld does.
fn write_subnet_env(text: &str) {
    std::fs::create_dir_all("/run/flannel").unwrap();
    std::fs::write("/run/flannel/subnet.env", text).unwrap();
}

/// A host with a subnet.
fn node() -> Host {
    let host = Host::new();
    write_subnet_env(SUBNET_ENV);
    host
}

fn conf(version: &str) -> Conf {
    Conf::new(json!({ "cniVersion": version, "name": "cbr0", "type": "flannel" }))
}

/// The names of the saved configurations and of all else in the directory.
fn saved(host: &Host) -> Vec<String> {
    let names = host.sh(&format!("ls -A {DATA_DIR} 2>/dev/null || true"));
    names.split_whitespace().map(str::to_owned).collect()
}
