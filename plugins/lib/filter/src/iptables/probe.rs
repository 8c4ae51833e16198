//! Whether iptables can be used, found out without loading a legacy module.

use cni_types::Result;

use super::{Protocol, Script, Tool, Variant, legacy_is_loaded};

/// Whether `iptables-restore` is there and so is what it talks to in the kernel. Runs no tool.
pub fn is_usable(nftables: &dyn Fn() -> bool) -> bool {
    let Ok(tool) = Tool::find(Protocol::V4, "restore", false) else { return false };
    match tool.variant() {
        Variant::Nft => nftables(),
        Variant::Legacy => legacy_is_loaded(Protocol::V4),
        Variant::Unknown => true,
    }
}

/// Has the tool check a script like ADD's. A legacy tool would load its modules for that; while they are not loaded,
/// the tool's presence has to do.
///
/// # Errors
/// Code 101 when there is no tool, or with what it says.
pub fn probe(protocol: Protocol, script: &Script) -> Result<()> {
    if protocol == Protocol::V6 && !std::path::Path::new("/proc/thread-self/net/if_inet6").exists() {
        return Ok(());
    }
    let tool = Tool::find(protocol, "restore", false)?;
    if tool.variant() == Variant::Legacy && !legacy_is_loaded(protocol) {
        return Ok(());
    }
    tool.restore(&script.text()?, true)
}
