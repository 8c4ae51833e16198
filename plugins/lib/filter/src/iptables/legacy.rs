//! The legacy (ip_tables) tables, looked at without a tool and without loading its modules.

use std::fs;
use std::os::fd::AsRawFd;

use cni_types::Family;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

/// `IPT_SO_GET_INFO`, the same for IPv6.
const GET_INFO: libc::c_int = 64;
/// `IPT_SO_GET_ENTRIES`, the same for IPv6.
const GET_ENTRIES: libc::c_int = 65;
/// Bytes of `struct ipt_getinfo`: name, valid hooks, 5 hook entries, 5 underflows, number of entries, size.
const INFO_LEN: usize = 84;
/// Bytes of `struct ipt_get_entries` before the entries, which are aligned to 8.
const ENTRIES_HEAD: usize = 40;
/// Bytes of a table's name.
const NAME_LEN: usize = 32;

/// The tables in use; `None` when ip_tables is not in the kernel (or not loaded).
fn tables(family: Family) -> Option<String> {
    // Not /proc/net: that is the namespace of the process's first thread.
    let file = match family {
        Family::V4 => "/proc/thread-self/net/ip_tables_names",
        Family::V6 => "/proc/thread-self/net/ip6_tables_names",
    };
    fs::read_to_string(file).ok()
}

/// Whether ip_tables is there without loading anything.
pub(crate) fn is_loaded(family: Family) -> bool {
    tables(family).is_some()
}

/// Whether the namespace has a legacy nat table.
pub(crate) fn nat_is_used(family: Family) -> bool {
    is_used(family, "nat")
}

/// Whether the namespace has the legacy table.
fn is_used(family: Family, table: &str) -> bool {
    tables(family).is_some_and(|names| names.lines().any(|name| name == table))
}

/// Whether the legacy table, such as `filter`, holds `text` in a chain's name or a comment. A table that cannot be read
/// counts as holding it, so that the tool is asked.
pub fn holds(family: Family, table: &str, text: &str) -> bool {
    if !is_used(family, table) {
        return false;
    }
    // The table may grow between its size and its content being read; then the kernel says EAGAIN.
    for _ in 0..10 {
        match entries(family, table) {
            Ok(entries) => return entries.windows(text.len()).any(|window| window == text.as_bytes()),
            Err(Errno::EAGAIN) => {}
            Err(_) => break,
        }
    }
    true
}

fn entries(family: Family, name: &str) -> nix::Result<Vec<u8>> {
    let (family, level) = match family {
        Family::V4 => (AddressFamily::Inet, libc::IPPROTO_IP),
        Family::V6 => (AddressFamily::Inet6, libc::IPPROTO_IPV6),
    };
    let fd = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)?;
    let get = |option: libc::c_int, buffer: &mut [u8]| {
        let mut len = libc::socklen_t::try_from(buffer.len()).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: `buffer` is writable for `len` bytes; the kernel reads the request from it and writes at most
        // `len` bytes back.
        let result = unsafe {
            libc::getsockopt(fd.as_raw_fd(), level, option, buffer.as_mut_ptr().cast(), &raw mut len)
        };
        Errno::result(result).map(|_| ())
    };
    let mut info = [0; INFO_LEN];
    info[..name.len()].copy_from_slice(name.as_bytes());
    get(GET_INFO, &mut info)?;
    let size = u32::from_ne_bytes([info[80], info[81], info[82], info[83]]);
    let mut table = vec![0; ENTRIES_HEAD + size as usize];
    table[..name.len()].copy_from_slice(name.as_bytes());
    table[NAME_LEN..NAME_LEN + 4].copy_from_slice(&size.to_ne_bytes());
    get(GET_ENTRIES, &mut table)?;
    Ok(table.split_off(ENTRIES_HEAD))
}
