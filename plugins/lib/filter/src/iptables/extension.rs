//! Matches and targets that come as extensions: a shared object of the tool and a module of the kernel each. A host may
//! have iptables without one of them.

use cni_types::{Code, Error, Family, Result};

use super::{Script, Tool, probe};

/// What rules of the suite need beyond the core of iptables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `-m addrtype`.
    Addrtype,
    /// `-m comment`.
    Comment,
    /// `-m conntrack`.
    Conntrack,
    /// `-m mark`.
    Mark,
    /// `-m multiport`.
    Multiport,
    /// `-m sctp`, which `-p sctp --dport` loads.
    Sctp,
    /// `-m tcp`, which `-p tcp --dport` loads.
    Tcp,
    /// `-m udp`, which `-p udp --dport` loads.
    Udp,
    /// `-j DNAT`.
    Dnat,
    /// `-j MARK`.
    SetMark,
    /// `-j MASQUERADE`.
    Masquerade,
}

impl Extension {
    /// Its kind and name in iptables's words.
    fn name(self) -> &'static str {
        match self {
            Self::Addrtype => "match addrtype",
            Self::Comment => "match comment",
            Self::Conntrack => "match conntrack",
            Self::Mark => "match mark",
            Self::Multiport => "match multiport",
            Self::Sctp => "match sctp",
            Self::Tcp => "match tcp",
            Self::Udp => "match udp",
            Self::Dnat => "target DNAT",
            Self::SetMark => "target MARK",
            Self::Masquerade => "target MASQUERADE",
        }
    }

    /// A rule that needs it and no other.
    fn rule(self) -> &'static [&'static str] {
        match self {
            Self::Addrtype => &["-m", "addrtype", "--dst-type", "LOCAL"],
            Self::Comment => &["-m", "comment", "--comment", "x"],
            Self::Conntrack => &["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"],
            Self::Mark => &["-m", "mark", "--mark", "0x1/0x1"],
            Self::Multiport => &["-p", "tcp", "-m", "multiport", "--dports", "1,2"],
            Self::Sctp => &["-p", "sctp", "--dport", "1"],
            Self::Tcp => &["-p", "tcp", "--dport", "1"],
            Self::Udp => &["-p", "udp", "--dport", "1"],
            Self::Dnat => &["-p", "tcp", "-j", "DNAT", "--to-destination", ":1"],
            Self::SetMark => &["-j", "MARK", "--set-xmark", "0x1/0x1"],
            Self::Masquerade => &["-j", "MASQUERADE"],
        }
    }
}

/// Whether the tool and the kernel have all of these for rules in a table, tried out by the tool without a change.
/// `key` is the configuration's key for the backend.
///
/// # Errors
/// Code 101 naming the first that is missing, or the tool if that is, and what to do.
pub fn require(family: Family, table: &str, extensions: &[Extension], key: &str) -> Result<()> {
    let script = |extensions: &[Extension]| {
        let mut script = Script::new(table);
        let chain = "CNI-000000000000";
        script.command(&["-N", chain]);
        extensions.iter().for_each(|one| script.command(&[&["-A", chain][..], one.rule()].concat()));
        script
    };
    let instead = format!("or set {key} to \"nftables\"");
    let Err(error) = probe(family, &script(extensions)) else { return Ok(()) };
    let tried = |one: &Extension| probe(family, &script(&[*one])).err().map(|error| (*one, error));
    match extensions.iter().find_map(tried) {
        // Nothing alone: it is the tool.
        Some((first, error)) if probe(family, &script(&[])).is_ok() => {
            let tool = Tool::command(family);
            let what =
                format!("{tool} has no {}: install its extension, or load its kernel module", first.name());
            Err(Error { msg: format!("{what}, {instead}"), details: said(&error), ..error })
        }
        _ => Err(Error { details: format!("{}, {instead}", error.details), ..error }),
    }
}

/// What follows when iptables has refused what an ADD needs. Where iptables itself is at fault, which `lacking` has
/// found out if it fails, the same is done `natively` if that is allowed.
///
/// # Errors
/// Code 101 naming what iptables lacks, else `refusal`.
pub fn or_natively<T>(
    refusal: Error,
    lacking: impl FnOnce() -> Result<()>,
    natively: Option<impl FnOnce() -> Result<T>>,
) -> Result<T> {
    if refusal.code != Code::FILTER {
        return Err(refusal);
    }
    match (lacking(), natively) {
        (Ok(()), _) => Err(refusal),
        (Err(_), Some(natively)) => natively(),
        (Err(lack), None) => Err(lack),
    }
}

fn said(error: &Error) -> String {
    format!("{}: {}", error.msg, error.details)
}
