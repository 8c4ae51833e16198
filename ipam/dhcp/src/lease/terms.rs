//! How long things may take.

use std::time::Duration;

/// The daemon's flags of these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    /// How long an offer is asked for, and an answer to a renewal waited for.
    pub(crate) timeout: Duration,
    /// The longest pause between two messages of an acquisition.
    pub(crate) resend_max: Duration,
    /// How long an acquisition may take in all.
    pub(crate) resend_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let [timeout, resend_max, resend_timeout] = [10, 62, 208].map(Duration::from_secs);
        Self { timeout, resend_max, resend_timeout }
    }
}
