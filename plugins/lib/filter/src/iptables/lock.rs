//! Who holds a lock, such as the xtables lock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The lock's path, as iptables finds it (`XT_LOCK_NAME`, `xshared.h`; the variable since 1.8.8).
fn path() -> std::ffi::OsString {
    std::env::var_os("XTABLES_LOCKFILE").unwrap_or_else(|| "/run/xtables.lock".into())
}

/// The holder of the xtables lock in words, such as "/run/xtables.lock is held by pid 12 (kube-proxy)".
pub(super) fn holder() -> String {
    holder_of(Path::new(&path()))
}

/// The holder of a flock on this file, in words.
pub(crate) fn holder_of(path: &Path) -> String {
    let pid = fs::metadata(path).ok().and_then(|file| {
        let locks = fs::read_to_string("/proc/locks").ok()?;
        find(&locks, libc::major(file.dev()), libc::minor(file.dev()), file.ino())
    });
    let path = path.display();
    match pid {
        None => format!("{path} is held by a process that /proc/locks does not show"),
        Some(pid) => {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{path} is held by pid {pid} ({})", name.trim_end())
        }
    }
}

/// The process that holds a flock on the file, in the text of `/proc/locks`
/// (`1: FLOCK ADVISORY WRITE 12 fe:00:345 0 EOF`, device numbers in hex). Waiting ones have `->` as second word.
fn find(locks: &str, major: u32, minor: u32, inode: u64) -> Option<u32> {
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [_, "FLOCK", _, _, pid, place, ..] if place == file => pid.parse().ok().filter(|&pid| pid != 0),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_and_a_waiter_is_not() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fe:00:345 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 8 fe:00:345 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 9 fe:00:345 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fe:00:346 0 EOF\n";
        assert_eq!(find(locks, 0xfe, 0, 345), Some(9));
        assert_eq!(find(locks, 0xfe, 0, 346), None, "a process of an outer pid namespace");
        assert_eq!(find("garbage\n", 0xfe, 0, 345), None);
    }
}
