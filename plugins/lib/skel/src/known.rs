//! What STATUS has found out about this host. It runs every few seconds for ever, and trying out what a kernel can do
//! takes namespaces, links and tools; the kernel does not change while it runs.
//!
//! Host state: `/run/cni/status/<build>`, mode 0600, a line per answer. Only what works is in it: what does not may
//! come with the next module.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use cni_types::Result;
use nix::unistd::geteuid;

use crate::note::THIS_BUILD;
use crate::state_dir::StateDir;
use crate::{privileges, state};

const DIR: &str = "/run/cni/status";
/// More is not remembered: a node has a few configurations.
const ANSWERS_MAX: usize = 64;
/// A line is 34 bytes, the first one less than 200.
const SIZE_MAX: u64 = 8 << 10;

/// Asks whether something works, unless it did when this build last asked in this boot, with the same privileges.
/// `what` is the question with all that it is asked about, `state` what its answer may change with; the last answer to
/// each is remembered.
///
/// # Errors
/// Those of `ask`. That the answer cannot be remembered is none.
pub fn ask_once(what: &str, state: &str, ask: impl FnOnce() -> Result<()>) -> Result<()> {
    let Some(head) = head() else { return ask() };
    let (what, line) = (hash(what), format!("{} {}", hash(what), hash(state)));
    if read(&head).contains(&line) {
        return Ok(());
    }
    ask()?;
    // Others may have asked something else meanwhile.
    let mut lines = read(&head);
    lines.retain(|there| !there.starts_with(&what));
    let excess = lines.len().saturating_sub(ANSWERS_MAX - 1);
    lines.drain(..excess);
    lines.push(line);
    let text = format!("{head}\n{}\n", lines.join("\n"));
    let _ = StateDir::new(DIR).write(THIS_BUILD, &format!(".{}", std::process::id()), text.as_bytes());
    Ok(())
}

/// In which boot, and as whom: another user namespace or fewer capabilities may be refused what works for others.
fn head() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let user = fs::read_link("/proc/self/ns/user").ok()?;
    Some(format!("{} {} {:x}", boot.trim(), user.display(), privileges::effective()?))
}

/// The answers; none of another boot or user, nor from a file that somebody else could have written.
fn read(head: &str) -> Vec<String> {
    let Ok(file) = state::open_record(&StateDir::new(DIR).path(THIS_BUILD)) else { return Vec::new() };
    let is_ours = |m: fs::Metadata| m.is_file() && m.uid() == geteuid().as_raw() && m.mode() & 0o077 == 0;
    let mut text = String::new();
    if !file.metadata().is_ok_and(is_ours) || file.take(SIZE_MAX).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    match text.split_once('\n') {
        Some((first, rest)) if first == head => rest.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// 16 hex digits, the same in each process of a build.
fn hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
