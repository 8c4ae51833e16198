//! Versions of software (semver.org 2.0.0), as runtimes read them: a `v` in front is theirs, and missing numbers are 0.

use std::cmp::Ordering;
use std::fmt;

/// A version with its order; what is behind a `+` has no part in it and is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Semver {
    numbers: [u64; 3],
    /// Of a version before the release, such as `rc.1`; empty for the release.
    pre: String,
}

impl Semver {
    /// A release.
    pub(crate) const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch], pre: String::new() }
    }

    /// The version that is this text and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
        if ![build, pre].into_iter().flatten().all(are_identifiers) {
            return None;
        }
        let mut numbers = [0; 3];
        for (at, part) in core.split('.').enumerate() {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            *numbers.get_mut(at)? = if digits { part.parse().ok()? } else { return None };
        }
        Some(Self { numbers, pre: pre.unwrap_or_default().to_owned() })
    }

    /// The first three numbers with dots between them, wherever in the text they are.
    pub(crate) fn first_in(text: &str) -> Option<Self> {
        let inside = |c: char| c.is_ascii_digit() || c == '.';
        let mut words = text.split(|c| !inside(c)).filter(|word| word.split('.').count() == 3);
        words.find_map(Self::parse)
    }
}

/// Words of letters, digits and `-`, separated by dots.
fn are_identifiers(text: &str) -> bool {
    text.split('.')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        let release = |version: &Self| version.pre.is_empty();
        let order = self.numbers.cmp(&other.numbers).then(release(self).cmp(&release(other)));
        order.then_with(|| self.pre.split('.').map(rank).cmp(other.pre.split('.').map(rank)))
    }
}

/// Numbers come before words and are ordered as numbers.
fn rank(word: &str) -> (bool, u64, &str) {
    word.parse().map_or((true, 0, word), |number| (false, number, ""))
}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if self.pre.is_empty() { Ok(()) } else { write!(f, "-{}", self.pre) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_versions() {
        let ordered = [
            "0.4.0",
            "v1.1.0-alpha",
            "1.1.0-rc.2",
            "1.1.0-rc.10",
            "1.1.0",
            "1.1.1",
            "1.7.1",
            "2.0.0",
            "10.0.0",
        ];
        let versions = ordered.map(|text| Semver::parse(text).unwrap());
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert_eq!(Semver::parse("v1.1+deb12"), Semver::parse("1.1.0"));
        for text in ["", "v", "version unknown", "1.2.3.4", "1.2.3 (Debian)", "1.-2", "1.2.3-", "1..2", "+1"]
        {
            assert_eq!(Semver::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_first_version_in_a_text() {
        let text = "CNI bridge plugin v1.9.1\nCNI protocol versions supported: 0.1.0";
        assert_eq!(Semver::first_in(text), Some(Semver::new(1, 9, 1)));
        let unknown = "CNI bridge plugin version unknown\nCNI protocol versions supported: 0.1.0, 0.2.0";
        assert_eq!(Semver::first_in(unknown), Some(Semver::new(0, 1, 0)), "as the runtime does");
        assert_eq!(Semver::first_in("usage: x 1.2"), None);
    }
}
