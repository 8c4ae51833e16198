//! Whether the packet filter sees what stays within a bridge: only with `br_netfilter`.

use std::fs;

use cni_skel::tell;

/// Per namespace; not there before the module is loaded.
const SWITCHES: [&str; 2] =
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-ip6tables"];

/// Says on stderr that `isolated` does not reach the containers of one bridge, if so.
pub(crate) fn warn_unless_filtered() {
    let off = |path: &&&str| fs::read_to_string(path).map_or(true, |text| text.trim() != "1");
    if let Some(path) = SWITCHES.iter().find(off) {
        tell(format_args!(
            "warning: ingressPolicy isolated does not separate containers of one bridge on this host: {path} is not 1; \
             modprobe br_netfilter and set it"
        ));
    }
}
