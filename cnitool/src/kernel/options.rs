//! The running kernel's configuration, as distributions leave it in a file.

use std::fs;
use std::sync::OnceLock;

/// The kernel's release, as its files are named.
pub(crate) fn release() -> Option<&'static str> {
    static RELEASE: OnceLock<Option<String>> = OnceLock::new();
    let read = || Some(fs::read_to_string("/proc/sys/kernel/osrelease").ok()?.trim().to_owned());
    RELEASE.get_or_init(read).as_deref()
}

/// Its configuration: lines of `CONFIG_X=y`. Read once; `None` where it is in none of the places.
pub(crate) fn config() -> Option<&'static str> {
    static CONFIG: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let release = release()?;
        let files = [format!("/boot/config-{release}"), format!("/lib/modules/{release}/config")];
        files.into_iter().find_map(|file| fs::read_to_string(file).ok())
    };
    CONFIG.get_or_init(read).as_deref()
}
