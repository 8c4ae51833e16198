//! What every plugin can be told, for programs that validate, complete or explain configurations.

use cni_types::PluginKeys;

/// The keys of each plugin that has any, by its name.
pub const KEYS: [PluginKeys; 18] = [
    plugin_bandwidth::KEYS,
    plugin_bridge::KEYS,
    ipam_dhcp::KEYS,
    plugin_dummy::KEYS,
    plugin_firewall::KEYS,
    plugin_flannel::KEYS,
    plugin_host_device::KEYS,
    ipam_host_local::KEYS,
    plugin_ipvlan::KEYS,
    plugin_macvlan::KEYS,
    plugin_portmap::KEYS,
    plugin_ptp::KEYS,
    plugin_sbr::KEYS,
    ipam_static::KEYS,
    plugin_tap::KEYS,
    plugin_tuning::KEYS,
    plugin_vlan::KEYS,
    plugin_vrf::KEYS,
];
