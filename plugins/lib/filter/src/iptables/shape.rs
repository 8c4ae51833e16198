//! What a rule says, whoever tells it: the words of iptables or the expressions of iptables-nft. Only the few matches
//! are known that the suite's own rules in the filter table have; a rule with any other is nobody we know, and never
//! touched.

use std::net::IpAddr;

use cni_types::{Family, ip_from_octets};

use super::Addresses;
use crate::nft::{Rule, Verdict};

/// `NFT_META_IIFNAME`, `NFT_META_OIFNAME`.
const IIFNAME: u32 = 6;
const OIFNAME: u32 = 7;

/// An interface a rule matches by its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The name.
    pub name: String,
    /// Whether any other one is meant.
    pub negated: bool,
}

/// Addresses a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched {
    /// The addresses.
    pub addresses: Addresses,
    /// Whether any other ones are meant.
    pub negated: bool,
}

/// A rule without its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The source addresses.
    pub source: Option<Matched>,
    /// The destination addresses.
    pub destination: Option<Matched>,
    /// The incoming interface.
    pub incoming: Option<Interface>,
    /// The outgoing interface.
    pub outgoing: Option<Interface>,
    /// Whether the connection must be related or established.
    pub known_connection: bool,
    /// The comment.
    pub comment: Option<String>,
    /// `ACCEPT`, `DROP`, `RETURN`, `MASQUERADE` or a chain.
    pub target: String,
}

impl Shape {
    /// Reads the words behind the chain's name; `None` for a rule with anything unknown in it.
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut shape = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let negated = word == "!";
            let option = if negated { words.next()? } else { word };
            let value = words.next()?;
            let interface = || Some(Interface { name: value.to_owned(), negated });
            let matched = || Some(Matched { addresses: Addresses::parse(value)?, negated });
            match (option, negated) {
                ("-s", _) => shape.source = Some(matched()?),
                ("-d", _) => shape.destination = Some(matched()?),
                ("-i", _) if !value.ends_with('+') => shape.incoming = interface(),
                ("-o", _) if !value.ends_with('+') => shape.outgoing = interface(),
                ("-m", false) if matches!(value, "comment" | "conntrack") => {}
                ("--comment", false) => shape.comment = Some(value.to_owned()),
                ("--ctstate", false) if value == "RELATED,ESTABLISHED" => shape.known_connection = true,
                ("-j", false) => value.clone_into(&mut shape.target),
                _ => return None,
            }
        }
        Some(shape)
    }

    /// Reads a rule of iptables-nft; `None` for a rule with anything unknown in it.
    pub fn of_rule(rule: &Rule<'_>) -> Option<Self> {
        let mut shape = Self::default();
        let mut expressions = rule.expressions();
        while let Some(expr) = expressions.next() {
            if let Some(place) = expr.payload() {
                let mut next = expressions.next()?;
                let mask = next.mask();
                if mask.is_some() {
                    next = expressions.next()?;
                }
                let (equal, value) = next.compares()?;
                let family = match place {
                    (1, 12 | 16, 1..=4) => Family::V4,
                    (1, 8 | 24, 1..=16) => Family::V6,
                    _ => return None,
                };
                let matched = Some(Matched { addresses: addresses(family, mask, value)?, negated: !equal });
                match place {
                    (1, 12, _) | (1, 8, _) => shape.source = matched,
                    (1, 16, _) | (1, 24, _) => shape.destination = matched,
                    _ => return None,
                }
            } else if let Some(key) = expr.meta() {
                let (equal, value) = expressions.next()?.compares()?;
                let interface = Some(Interface { name: name(value)?, negated: !equal });
                if key == IIFNAME {
                    shape.incoming = interface;
                } else if key == OIFNAME {
                    shape.outgoing = interface;
                } else {
                    return None;
                }
            } else if let Some(comment) = expr.xt_comment() {
                shape.comment = Some(comment.to_owned());
            } else if let Some(("conntrack", info)) = expr.xt_match() {
                if !is_known_connection(info) {
                    return None;
                }
                shape.known_connection = true;
            } else if let Some(("MASQUERADE", _)) = expr.xt_target() {
                "MASQUERADE".clone_into(&mut shape.target);
            } else if expr.name == "masq" {
                "MASQUERADE".clone_into(&mut shape.target);
            } else if let Some(verdict) = expr.verdict() {
                match verdict {
                    Verdict::Accept => "ACCEPT",
                    Verdict::Drop => "DROP",
                    Verdict::Return => "RETURN",
                    Verdict::Jump(chain) => chain,
                    Verdict::Goto(_) => return None,
                }
                .clone_into(&mut shape.target);
            } else if expr.name != "counter" {
                return None;
            }
        }
        if shape.comment.is_none() {
            shape.comment = rule.comment.map(str::to_owned);
        }
        Some(shape)
    }
}

/// The addresses whose first bytes, or bits under a mask, compare to a value.
fn addresses(family: Family, mask: Option<&[u8]>, value: &[u8]) -> Option<Addresses> {
    let ones = vec![0xff; value.len()];
    let [ip, mask] = [value, mask.unwrap_or(&ones)].map(|bytes| whole(family, bytes));
    Addresses::masked(ip?, mask?)
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
    fn words_are_read_and_unknown_ones_make_it_nobody() {
        let read = |text: &str| Shape::of_words(text.split(' '));
        let matched = Addresses::parse("10.1.0.2").map(|addresses| Matched { addresses, negated: false });
        let from = Shape { source: matched, target: "ACCEPT".into(), ..Shape::default() };
        assert_eq!(read("-s 10.1.0.2/32 -j ACCEPT"), Some(from));
        let state = read("-d fd00::2/128 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
        assert!(state.is_some_and(|shape| shape.known_connection && shape.source.is_none()));
        let other = read("-i br0 ! -o br0 -j X").and_then(|shape| shape.outgoing);
        assert_eq!(other, Some(Interface { name: "br0".into(), negated: true }));
        for (one, other) in [
            ("-s 10.1.0.2/24 -j ACCEPT", "-s 10.1.0.0/24 -j ACCEPT"),
            ("! -s 10.1.0.2/32 -j ACCEPT", "! -s 10.1.0.2 -j ACCEPT"),
        ] {
            assert_eq!(read(one), read(other));
            assert_ne!(read(one), read("-s 10.1.0.2/32 -j ACCEPT"));
        }
        for foreign in
            ["-s 10.1.0.2/32 -p tcp -j ACCEPT", "-i br+ -j DROP", "-s 10.1.0.2/32 -g CNI", "-s", "!"]
        {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
