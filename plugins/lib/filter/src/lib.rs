//! The packet filter of the suite: masquerade and MAC spoof check, spoken to the kernel without tools where possible.

pub mod masquerade;
pub mod spoof;

/// The packet filter of the network namespace the calling thread is in when it is first used. Opens nothing before
/// that. Keep it alive until the very last act of a plugin: closing its socket after a delete waits 8–16 ms for an
/// RCU grace period, and that wait should overlap with the one of the link's delete.
#[derive(Default)]
pub struct Filter {}

impl Filter {
    /// A filter that has opened nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}
