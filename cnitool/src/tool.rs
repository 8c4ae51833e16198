//! Programs of others, run for what they print: runtimes, iptables, nft.

use cni_skel::child;
use cni_types::excerpt;

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
    let program = child::find_tool(name).ok_or(Unsaid::Missing)?;
    let done = child::run(&program, args, &[], b"").map_err(|e| Unsaid::Failed(e.to_string()))?;
    if !done.status.success() {
        let complaint = String::from_utf8_lossy(&done.stderr);
        return Err(Unsaid::Failed(format!("{}: {}", done.status, excerpt(complaint.trim()))));
    }
    String::from_utf8(done.stdout).map_err(|e| Unsaid::Failed(e.to_string()))
}
