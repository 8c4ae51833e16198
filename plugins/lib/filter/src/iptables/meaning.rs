//! What a rule says, whoever tells it: the words of iptables or the expressions of iptables-nft. It is the one
//! comparison of rules: two that mean the same are the same, however they are written.

use std::net::IpAddr;

use cni_types::{Family, ip_from_octets};

use super::{Addresses, Condition};
use crate::nft::{Rule, Verdict};

/// `NFT_META_IIFNAME`, `NFT_META_OIFNAME`.
const IIFNAME: u32 = 6;
const OIFNAME: u32 = 7;

/// A rule without its chain: its conditions, with the comment and the target among them.
#[derive(Debug, Clone, Default)]
pub struct Meaning<'a>(Vec<Condition<'a>>);

impl<'a> Meaning<'a> {
    /// Reads the words behind the chain's name.
    pub fn of_words(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Condition::read(words))
    }

    /// As [`Self::of_words`], of each of the rules that iptables makes of these words: one for every address of a list
    /// (`-s a,b`), and with two lists for every pair.
    pub fn each_of_words(words: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        Condition::read_each(words).into_iter().map(Self).collect()
    }

    /// Whether both have the same conditions and no other. One that every packet satisfies counts for nothing: iptables
    /// does not write it back.
    pub fn is(&self, other: &Meaning<'_>) -> bool {
        self.says(other, |_| true)
    }

    /// The same, whatever the comments.
    pub fn does(&self, other: &Meaning<'_>) -> bool {
        self.says(other, |condition| !condition.is("--comment"))
    }

    fn says(&self, other: &Meaning<'_>, counts: impl Fn(&Condition<'_>) -> bool) -> bool {
        let within = |these: &[Condition<'_>], those: &[Condition<'_>]| {
            let these = these.iter().filter(|one| counts(one) && !one.matches_all());
            these.into_iter().all(|one| those.iter().any(|other| one.means(other)))
        };
        within(&self.0, &other.0) && within(&other.0, &self.0)
    }

    /// The value of an option that is not negated.
    fn option(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|condition| condition.is(name))?.value()
    }

    /// Whether it has no condition but those that [`Self::of_rule`] knows.
    pub(crate) fn is_known(&self) -> bool {
        let known = ["-s", "-d", "-i", "-o", "--ctstate", "--comment", "-j"];
        self.0.iter().all(|condition| known.iter().any(|option| condition.has_option(option)))
    }

    /// The comment.
    pub fn comment(&self) -> Option<&str> {
        self.option("--comment")
    }

    /// `ACCEPT`, `DROP`, `RETURN`, `MASQUERADE` or a chain.
    pub fn target(&self) -> Option<&str> {
        self.option("-j")
    }

    /// The addresses it matches by an option that is not negated.
    pub(crate) fn addresses(&self, option: &str) -> Option<Addresses> {
        Addresses::parse(self.option(option)?)
    }

    /// The same, of words that are its own.
    pub fn into_owned(self) -> Meaning<'static> {
        Meaning(self.0.into_iter().map(Condition::into_owned).collect())
    }
}

impl Meaning<'static> {
    /// Reads a rule of iptables-nft. Only the few expressions are known that the suite's own rules have: `None` for a
    /// rule with any other, which is nobody we know, and never touched.
    pub fn of_rule(rule: &Rule<'_>) -> Option<Self> {
        let mut conditions = Vec::new();
        let mut expressions = rule.expressions();
        let mut says =
            |negated, option, value: String| conditions.push(Condition::new(negated, option, value));
        let mut comment = rule.comment;
        while let Some(expr) = expressions.next() {
            if let Some(place) = expr.payload() {
                let mut next = expressions.next()?;
                let mask = next.mask();
                if mask.is_some() {
                    next = expressions.next()?;
                }
                let (equal, value) = next.compares()?;
                let (family, option) = match place {
                    (1, 12, 1..=4) => (Family::V4, "-s"),
                    (1, 16, 1..=4) => (Family::V4, "-d"),
                    (1, 8, 1..=16) => (Family::V6, "-s"),
                    (1, 24, 1..=16) => (Family::V6, "-d"),
                    _ => return None,
                };
                says(!equal, option, addresses(family, mask, value)?);
            } else if let Some(key) = expr.meta() {
                let option = match key {
                    IIFNAME => "-i",
                    OIFNAME => "-o",
                    _ => return None,
                };
                let (equal, value) = expressions.next()?.compares()?;
                says(!equal, option, name(value)?);
            } else if let Some(text) = expr.xt_comment() {
                comment = Some(text);
            } else if let Some(("conntrack", info)) = expr.xt_match() {
                if !is_known_connection(info) {
                    return None;
                }
                says(false, "--ctstate", "RELATED,ESTABLISHED".to_owned());
            } else if expr.name == "masq" || matches!(expr.xt_target(), Some(("MASQUERADE", _))) {
                says(false, "-j", "MASQUERADE".to_owned());
            } else if let Some(verdict) = expr.verdict() {
                says(false, "-j", target(verdict)?.to_owned());
            } else if expr.name != "counter" {
                return None;
            }
        }
        if let Some(comment) = comment {
            says(false, "--comment", comment.to_owned());
        }
        Some(Self(conditions))
    }
}

fn target(verdict: Verdict<'_>) -> Option<&str> {
    match verdict {
        Verdict::Accept => Some("ACCEPT"),
        Verdict::Drop => Some("DROP"),
        Verdict::Return => Some("RETURN"),
        Verdict::Jump(chain) => Some(chain),
        Verdict::Goto(_) => None,
    }
}

/// The addresses whose first bytes, or bits under a mask, compare to a value.
fn addresses(family: Family, mask: Option<&[u8]>, value: &[u8]) -> Option<String> {
    let ones = vec![0xff; value.len()];
    let [ip, mask] = [value, mask.unwrap_or(&ones)].map(|bytes| whole(family, bytes));
    Some(format!("{}/{}", ip?, mask?))
}

/// The address that starts with these bytes.
fn whole(family: Family, bytes: &[u8]) -> Option<IpAddr> {
    let mut all = vec![0; family.octets().into()];
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    ip_from_octets(&all)
}

/// A name that is compared with its NUL: without one, only its beginning would be meant.
fn name(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&value[..end]).ok().map(str::to_owned)
}

/// Whether a `struct xt_conntrack_mtinfo3` (`linux/netfilter/xt_conntrack.h`) is `--ctstate RELATED,ESTABLISHED`.
fn is_known_connection(info: &[u8]) -> bool {
    let number = |at: usize| info.get(at..at + 2).map(|two| u16::from_ne_bytes([two[0], two[1]]));
    // match_flags: XT_CONNTRACK_STATE alone; invert_flags: none; state_mask: the bits of the two states.
    [number(146), number(148), number(150)] == [Some(1), Some(0), Some(6)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_another_with_a_condition_more_or_less() {
        let read = |text: &'static str| Meaning::of_words(text.split(' '));
        for (one, other) in [
            ("-s 10.1.0.2/24 -j ACCEPT", "-s 10.1.0.0/24 -j ACCEPT"),
            ("! -s 10.1.0.2/32 -j ACCEPT", "! -s 10.1.0.2 -j ACCEPT"),
            ("-p tcp --dport 80 -j X", "-p tcp -m tcp --dport 80 -j X"),
            ("-s 0.0.0.0/0 -p tcp -j X", "-p tcp -j X"),
        ] {
            assert!(read(one).is(&read(other)) && read(other).is(&read(one)), "{one}");
        }
        let from = read("-s 10.1.0.2/32 -j ACCEPT");
        for foreign in [
            "! -s 10.1.0.2/32 -j ACCEPT",
            "-s 10.1.0.2/32 -p tcp -j ACCEPT",
            "-s 10.1.0.2/32 -i br+ -j ACCEPT",
            "-s 10.1.0.2/32 -g ACCEPT",
            "-s 10.1.0.2/32",
            "-s",
            "!",
        ] {
            assert!(!read(foreign).is(&from) && !from.is(&read(foreign)), "{foreign}");
        }
        let noted = read("-s 10.1.0.2 -m comment --comment x -j ACCEPT");
        assert!(noted.does(&from) && from.does(&noted) && !noted.is(&from));
        assert_eq!((noted.comment(), noted.target()), (Some("x"), Some("ACCEPT")));
    }
}
