//! Every plugin of the suite in one executable, for images, initial RAM disks and small systems: it is the plugin whose
//! name is the last component of the name it is called by. Hard links, symbolic links, copies and renamed files all
//! work; plugins that delegate find the others in `CNI_PATH` as ever, and call those that are this file.
//!
//! Leaves on the host what the plugin does that it is called as, and nothing of its own.

mod keys;

use std::ffi::c_int;

use cni_part::PartPlugin;
use cni_skel::{Plugin, refuse, start, start_with};
use cni_types::{Code, Error, excerpt};

pub use keys::KEYS;

/// The plugins that are lists of parts.
pub const PART_PLUGINS: [&PartPlugin; 16] = [
    &plugin_bandwidth::BANDWIDTH,
    &plugin_bridge::BRIDGE,
    &plugin_dummy::DUMMY,
    &plugin_firewall::FIREWALL,
    &plugin_flannel::FLANNEL,
    &plugin_host_device::HOST_DEVICE,
    &plugin_ipvlan::IPVLAN,
    &plugin_loopback::LOOPBACK,
    &plugin_macvlan::MACVLAN,
    &plugin_portmap::PORTMAP,
    &plugin_ptp::PTP,
    &plugin_sbr::SBR,
    &plugin_tap::TAP,
    &plugin_tuning::TUNING,
    &plugin_vlan::VLAN,
    &plugin_vrf::VRF,
];

/// The IPAM plugins.
const IPAM_PLUGINS: [&dyn Plugin; 3] = [&ipam_dhcp::Dhcp, &ipam_host_local::HostLocal, &ipam_static::Static];

/// Every plugin of the suite.
pub fn plugins() -> impl Iterator<Item = &'static dyn Plugin> {
    PART_PLUGINS.into_iter().map(|plugin| plugin as &dyn Plugin).chain(IPAM_PLUGINS)
}

/// Runs the plugin that the first of `arguments` names, or dhcp's daemon; gives the exit status.
pub fn main(arguments: &[String]) -> c_int {
    let called = arguments.first().map(String::as_str).unwrap_or_default();
    let name = called.rsplit('/').next().unwrap_or_default();
    match (plugins().find(|plugin| plugin.about().name == name), arguments.get(1..)) {
        (Some(_), Some([word, rest @ ..])) if name == "dhcp" && word == "daemon" => {
            start_with(|| ipam_dhcp::daemon_main(rest))
        }
        (Some(plugin), _) => start(plugin, plugins().collect::<Vec<_>>().leak()),
        (None, _) => start_with(|| refuse(&unknown(called))),
    }
}

fn unknown(called: &str) -> Error {
    let mut names: Vec<_> = plugins().map(|plugin| plugin.about().name).collect();
    names.sort_unstable();
    Error::new(Code::ENVIRONMENT, format!("there is no plugin {} in this executable", excerpt(called)))
        .because(format!("link or copy it to one of the names it has: {}", names.join(", ")))
}
