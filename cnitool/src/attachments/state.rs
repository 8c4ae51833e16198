//! Whether an attachment is as it should be.

use std::fmt;

/// What is known about an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// All that was looked at is there.
    Ok,
    /// The container's namespace is gone: its DEL was lost.
    NoNamespace,
    /// It is there, but the cache has no file of it.
    NoCache,
    /// Things are left of it, and nobody has them: no file in the cache, no interface in any namespace.
    Leaked,
    /// What is missing, or is another's.
    Damaged(String),
    /// It could not be found out, and why.
    Unknown(String),
}

impl State {
    /// The state in one or two words, without the reason.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoNamespace => "no namespace",
            Self::NoCache => "no cache",
            Self::Leaked => "leaked",
            Self::Damaged(_) => "damaged",
            Self::Unknown(_) => "unknown",
        }
    }

    /// What is wrong, where the word does not say.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Damaged(why) | Self::Unknown(why) => Some(why),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why() {
            Some(why) => write!(f, "{}: {why}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}
