//! What of a node matters for its networks: versions, what is in the packets' way, sysctls, kernel options.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use cni_types::Result;

use crate::kernel::options::config;
use crate::tool::said;
use crate::version;

/// The sysctls that decide whether packets arrive.
const SYSCTLS: [&str; 10] = [
    "ipv4/ip_forward",
    "ipv4/conf/all/forwarding",
    "ipv6/conf/all/forwarding",
    "ipv6/conf/all/disable_ipv6",
    "ipv4/conf/all/rp_filter",
    "ipv4/conf/default/rp_filter",
    "ipv4/conf/all/route_localnet",
    "bridge/bridge-nf-call-iptables",
    "bridge/bridge-nf-call-ip6tables",
    "netfilter/nf_conntrack_max",
];
/// The kernel options that plugins need.
const OPTIONS: [&str; 14] = [
    "BRIDGE",
    "BRIDGE_NETFILTER",
    "BRIDGE_VLAN_FILTERING",
    "VETH",
    "MACVLAN",
    "IPVLAN",
    "VLAN_8021Q",
    "DUMMY",
    "TUN",
    "NET_VRF",
    "NET_SCH_TBF",
    "IFB",
    "NF_TABLES",
    "NF_CONNTRACK",
];
/// # Errors
/// When the plugins' directories cannot be read.
pub(super) fn report(cni_path: &[PathBuf]) -> Result<String> {
    let mut text = "\n== The plugins\n".to_owned() + &version::report(cni_path)?;
    text += "\n== The kernel\n";
    text += &fs::read_to_string("/proc/version").unwrap_or_default();
    text += &options();
    text += "\n== Sysctls\n";
    for name in SYSCTLS {
        let value = cni_net::sysctl::read(name).unwrap_or_else(|_| "(not there)".to_owned());
        let _ = writeln!(text, "net.{} = {value}", name.replace('/', "."));
    }
    text += "\n== In the packets' way\n";
    let _ = writeln!(text, "{}", said("iptables", &["--version"]).as_deref().unwrap_or("no iptables").trim());
    for chain in base_chains() {
        let _ = writeln!(text, "{chain}");
    }
    for table in ["filter", "nat"] {
        let policies = said("iptables", &["-t", table, "-S"]).unwrap_or_default();
        let lines = policies.lines().filter(|line| line.starts_with("-P "));
        text.extend(lines.map(|line| format!("iptables -t {table} {line}\n")));
    }
    Ok(text)
}

/// The base chains of nftables, those of iptables-nft among them, a line each: `ip filter FORWARD: type filter hook …`.
fn base_chains() -> Vec<String> {
    let (mut table, mut chain, mut found) = (String::new(), String::new(), Vec::new());
    for line in said("nft", &["list", "chains"]).unwrap_or_default().lines() {
        let words = line.trim().trim_end_matches('{').trim();
        if let Some(name) = words.strip_prefix("table ") {
            name.clone_into(&mut table);
        } else if let Some(name) = words.strip_prefix("chain ") {
            name.clone_into(&mut chain);
        } else if words.starts_with("type ") {
            found.push(format!("{table} {chain}: {words}"));
        }
    }
    found
}

/// The base chains in which a packet that is forwarded is dropped unless a rule says otherwise.
pub(super) fn dropping_forward_chains() -> Vec<String> {
    let is_it = |chain: &String| chain.contains("hook forward") && chain.contains("policy drop");
    let mut found: Vec<String> = base_chains().into_iter().filter(is_it).collect();
    let by_iptables = |name: &str| {
        said(name, &["-S", "FORWARD"]).is_ok_and(|rules| rules.lines().any(|line| line == "-P FORWARD DROP"))
    };
    if found.is_empty() && by_iptables("iptables") {
        found.push("chain FORWARD of iptables".to_owned());
    }
    found
}

fn options() -> String {
    let Some(config) = config() else {
        return "its options are in neither /boot nor /lib/modules\n".to_owned();
    };
    let value = |option: &str| {
        let set = config.lines().find_map(|line| line.strip_prefix(&format!("CONFIG_{option}=")));
        format!("{option}={}", set.unwrap_or("n"))
    };
    OPTIONS.map(value).join(" ") + "\n"
}
