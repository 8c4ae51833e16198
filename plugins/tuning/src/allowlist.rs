//! Which sysctls the node's administrator lets configurations set.

use std::fs;
use std::io;
use std::path::Path;

use cni_types::{Doing, Error, Result, excerpt};
use regex_lite::Regex;

use crate::conf::sysctl::Sysctl;

/// Where the list is.
pub(crate) const DIR: &str = "/etc/cni/tuning";
/// One regular expression per line, as the reference reads it: it may match any part of a key.
const FILE: &str = "allowlist.conf";
/// With this file beside it, a list that is not there allows nothing.
const STRICT: &str = "strict";

/// The list.
#[derive(Debug)]
pub(crate) enum AllowList {
    /// There is none: every network sysctl is allowed.
    All,
    /// There is none but there should be: nothing is.
    Nothing,
    /// What matches one of these.
    Matching(Vec<Regex>),
}

impl AllowList {
    /// Reads the list in `dir`.
    ///
    /// # Errors
    /// Code 5 when it is there but cannot be read, code 7 for a line that is no regular expression.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let strict = dir.join(STRICT);
                let is_strict = strict.try_exists().doing(format!("cannot look for {}", strict.display()))?;
                return Ok(if is_strict { Self::Nothing } else { Self::All });
            }
            Err(e) => {
                let doing = format!("cannot read the list of allowed sysctls, {}", path.display());
                return Err(Error::io(doing, &e).because(
                    "without a list every network sysctl is allowed; one that cannot be read allows none",
                ));
            }
        };
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        let expressions = lines.map(|(number, line)| {
            Regex::new(line).map_err(|e| {
                Error::config(format!(
                    "{}, line {number}: {} is no regular expression",
                    path.display(),
                    excerpt(line)
                ))
                .because(e)
            })
        });
        expressions.collect::<Result<_>>().map(Self::Matching)
    }

    /// # Errors
    /// Code 7 naming the first sysctl that is not allowed, as the configuration writes it.
    pub(crate) fn allow(&self, sysctls: &[Sysctl]) -> Result<()> {
        let allowed = |sysctl: &&Sysctl| match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Matching(expressions) => expressions.iter().any(|e| e.is_match(&sysctl.key)),
        };
        let Some(sysctl) = sysctls.iter().find(|s| !allowed(s)) else { return Ok(()) };
        let why = match self {
            Self::Nothing => format!("{DIR}/{STRICT} is there, and {DIR}/{FILE} is not"),
            _ => format!("no line of {DIR}/{FILE} matches it"),
        };
        Err(Error::config(format!("sysctl {} is not allowed on this node", excerpt(&sysctl.key)))
            .because(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &[&str]) -> AllowList {
        AllowList::Matching(lines.iter().map(|line| Regex::new(line).unwrap()).collect())
    }

    #[test]
    fn expressions_match_any_part_of_the_key_as_it_is_written() {
        let sysctls = [Sysctl::new("net.ipv4.conf.IFNAME.arp_filter", "1").unwrap()];
        for line in
            ["arp", "^net", "filter$", r"^net\.ipv4\.conf\.IFNAME\.arp_filter$", "[ai]rp_", "(?i)ARP", ""]
        {
            assert!(list(&[line]).allow(&sysctls).is_ok(), "{line}");
        }
        for line in ["^arp", r"eth0", "net/ipv4"] {
            assert!(list(&[line]).allow(&sysctls).is_err(), "{line}");
        }
        assert!(list(&["^arp", "net"]).allow(&sysctls).is_ok());
        assert!(list(&[]).allow(&sysctls).is_err() && list(&[]).allow(&[]).is_ok());
    }
}
