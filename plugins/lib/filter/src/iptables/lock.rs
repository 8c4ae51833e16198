//! Who holds the xtables lock.

use std::path::Path;

/// The lock's path, as iptables finds it (`XT_LOCK_NAME`, `xshared.h`; the variable since 1.8.8).
fn path() -> std::ffi::OsString {
    std::env::var_os("XTABLES_LOCKFILE").unwrap_or_else(|| "/run/xtables.lock".into())
}

/// The holder of the xtables lock in words, such as "/run/xtables.lock is held by pid 12 (kube-proxy)".
pub(super) fn holder() -> String {
    cni_skel::holder(Path::new(&path()))
}
