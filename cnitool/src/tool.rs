//! Programs of others, run for what they print: runtimes, iptables, nft.

use std::env;
use std::path::{Path, PathBuf};

use cni_skel::child;
use cni_types::excerpt;
use nix::unistd::{AccessFlags, access};

/// Where administrators' tools are when `PATH` does not say so, as under systemd or cron.
const SYSTEM_DIRS: [&str; 5] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/// Why a program has not said what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// It is not installed.
    Missing,
    /// How it ended and what it complained of, or why it could not be started.
    Failed(String),
}

/// What the program prints.
///
/// # Errors
/// When it is missing, or has not succeeded.
pub(crate) fn said(name: &str, args: &[&str]) -> Result<String, Unsaid> {
    let program = find(name).ok_or(Unsaid::Missing)?;
    let done = child::run(&program, args, &[], b"").map_err(|e| Unsaid::Failed(e.to_string()))?;
    if !done.status.success() {
        let complaint = String::from_utf8_lossy(&done.stderr);
        return Err(Unsaid::Failed(format!("{}: {}", done.status, excerpt(complaint.trim()))));
    }
    String::from_utf8(done.stdout).map_err(|e| Unsaid::Failed(e.to_string()))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = env::split_paths(&path).chain(SYSTEM_DIRS.map(PathBuf::from));
    let files = dirs.filter(|dir| dir.is_absolute()).map(|dir| dir.join(name));
    files.into_iter().find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && access(file, AccessFlags::X_OK).is_ok()
}
