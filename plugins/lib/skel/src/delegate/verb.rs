//! What a delegate is asked.

/// The verb a delegate is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// ADD
    Add,
    /// CHECK
    Check,
    /// DEL
    Del,
    /// GC
    Gc,
    /// STATUS
    Status,
}

impl Verb {
    /// The text for `CNI_COMMAND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }
}
