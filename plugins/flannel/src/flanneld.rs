//! The daemon whose word this plugin takes.

use std::fs;

/// What to look at when `subnet.env` is not as it should be.
pub(crate) fn hint() -> String {
    let seen = find().map_or_else(
        || "no process flanneld is seen on this node".to_owned(),
        |pid| format!("flanneld runs (pid {pid})"),
    );
    format!("{seen}; see the log of this node's flannel pod or service")
}

/// The process id of a running flanneld, one of them. k3s and the like have theirs inside another process.
fn find() -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid: &u32| fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name == b"flanneld\n"))
}
