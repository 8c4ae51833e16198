//! Whether iptables can be used, found out without loading a legacy module.

use cni_types::{Family, Result};

use super::{Script, Tool, Variant, legacy_is_loaded};

/// Whether `iptables-restore` is there and so is what it talks to in the kernel. Runs no tool.
pub fn is_usable(nftables: &dyn Fn() -> bool) -> bool {
    let Ok(tool) = Tool::find(Family::V4, "restore", false) else { return false };
    match tool.variant() {
        Variant::Nft => nftables(),
        Variant::Legacy => legacy_is_loaded(Family::V4),
        Variant::Unknown => true,
    }
}

/// Has the tool check a script like ADD's. A legacy tool would load its modules for that; while they are not loaded,
/// the tool's presence has to do.
///
/// # Errors
/// Code 101 when there is no tool, or with what it says.
pub fn probe(family: Family, script: &Script) -> Result<()> {
    if family == Family::V6 && !std::path::Path::new("/proc/thread-self/net/if_inet6").exists() {
        return Ok(());
    }
    let tool = Tool::find(family, "restore", false)?;
    if tool.variant() == Variant::Legacy && !legacy_is_loaded(family) {
        return Ok(());
    }
    tool.restore(&script.text()?, true)
}
