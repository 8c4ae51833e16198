//! What is asked of `ls`.

/// How the list is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// What matters most, for a terminal.
    #[default]
    Table,
    /// Everything, uncut.
    Wide,
    /// For programs.
    Json,
    /// `network/container/ifname`, one on a line.
    Name,
}

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) format: Format,
    /// Only those of this network.
    pub(crate) network: Option<String>,
    /// Goes on, and says what changes.
    pub(crate) watch: bool,
}
