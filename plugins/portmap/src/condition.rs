//! Conditions of the nftables backend: a subset of nft's language, turned into expressions without the `nft` tool.
//!
//! ```text
//! conditions = { field [ "==" | "!=" ] values }
//! field      = "ip" ( "saddr" | "daddr" ) | "ip6" ( "saddr" | "daddr" ) | [ "meta" ] ( "iifname" | "oifname" | "mark" )
//! values     = value | "{" value { "," value } "}"
//! ```

use cni_filter::nft::{Compare, Expr, Meta, PayloadBase, Register};
use cni_types::{Cidr, Error, Family, IfName, Result, excerpt, hex, ip_octets, parse_ip};

/// How many rules one list of conditions may become.
const RULES_MAX: usize = 64;

/// Mappings under the same conditions share maps and rules.
pub(crate) struct Class {
    /// A hash of the conditions.
    pub(crate) name: String,
    /// The conditions as configured.
    pub(crate) text: String,
    /// A packet that satisfies all of any of these goes.
    pub(crate) alternatives: Vec<Vec<Expr>>,
}

impl Class {
    /// Reads conditions; `None` if there are none.
    ///
    /// # Errors
    /// Code 7 for what is not in the language above.
    pub(crate) fn read(words: &[String], family: Family) -> Result<Option<Self>> {
        if words.is_empty() {
            return Ok(None);
        }
        let text = words.join(" ");
        let spaced = text.replace('{', " { ").replace('}', " } ").replace(',', " , ");
        let tokens: Vec<&str> = spaced.split_whitespace().collect();

        let alternatives = parse(&tokens, family).map_err(|what| {
            Error::config(format!("key \"conditionsV{}\": {what}", family.version())).because(
                "the nftables backend takes: ip|ip6 saddr|daddr, [meta] iifname|oifname|mark, each followed by an \
                 optional == or !=, and a value or { value, value }",
            )
        })?;
        Ok(Some(Self { name: hex(&text, 8), text, alternatives }))
    }

    /// The mark on the rules of the class in a family.
    pub(crate) fn comment(&self, family: Family) -> String {
        format!("{}_{} {}", family.version(), self.name, self.text)
            .chars()
            .filter(|c| !c.is_control() && *c != '"')
            .take(100)
            .collect()
    }
}

/// What is compared.
#[derive(Clone, Copy)]
enum Field {
    Address { family: Family, offset: u32 },
    Name(Meta),
    Mark,
}

fn parse(tokens: &[&str], family: Family) -> std::result::Result<Vec<Vec<Expr>>, String> {
    let mut alternatives = vec![Vec::new()];
    let mut rest = tokens;
    while !rest.is_empty() {
        let field = field(&mut rest, family)?;
        let how = match rest.first() {
            Some(&"!=") => Compare::NotEqual,
            _ => Compare::Equal,
        };
        if matches!(rest.first(), Some(&("!=" | "=="))) {
            rest = &rest[1..];
        }
        let values = values(&mut rest)?;
        let tests = values.iter().map(|v| test(field, how, v)).collect::<std::result::Result<Vec<_>, _>>()?;
        if how == Compare::NotEqual {
            let all: Vec<Expr> = tests.into_iter().flatten().collect();
            alternatives.iter_mut().for_each(|conditions| conditions.extend(all.iter().cloned()));
        } else {
            let each = |conditions: &Vec<Expr>| -> Vec<Vec<Expr>> {
                tests.iter().map(|test| conditions.iter().chain(test).cloned().collect()).collect()
            };
            alternatives = alternatives.iter().flat_map(each).collect();
        }
        if alternatives.len() > RULES_MAX {
            return Err(format!("the lists multiply to more than {RULES_MAX} rules"));
        }
    }
    Ok(alternatives)
}

fn field(rest: &mut &[&str], family: Family) -> std::result::Result<Field, String> {
    if rest.first() == Some(&"meta") {
        *rest = &rest[1..];
    }
    let known = match (family, &**rest) {
        (Family::V4, ["ip", "saddr", ..]) => Some((Field::Address { family, offset: 12 }, 2)),
        (Family::V4, ["ip", "daddr", ..]) => Some((Field::Address { family, offset: 16 }, 2)),
        (Family::V6, ["ip6", "saddr", ..]) => Some((Field::Address { family, offset: 8 }, 2)),
        (Family::V6, ["ip6", "daddr", ..]) => Some((Field::Address { family, offset: 24 }, 2)),
        (_, ["iifname", ..]) => Some((Field::Name(Meta::IifName), 1)),
        (_, ["oifname", ..]) => Some((Field::Name(Meta::OifName), 1)),
        (_, ["mark", ..]) => Some((Field::Mark, 1)),
        _ => None,
    };
    let (field, length) =
        known.ok_or_else(|| format!("cannot take the condition {}", excerpt(&rest.join(" "))))?;
    *rest = &rest[length..];
    Ok(field)
}

fn values<'a>(rest: &mut &[&'a str]) -> std::result::Result<Vec<&'a str>, String> {
    let missing = || "a value is missing at the end".to_owned();
    let (&first, tail) = rest.split_first().ok_or_else(missing)?;
    if first != "{" {
        *rest = tail;
        return Ok(vec![first]);
    }
    let end = tail.iter().position(|token| *token == "}").ok_or("a } is missing")?;
    *rest = &tail[end + 1..];
    let values: Vec<&str> = tail[..end].iter().copied().filter(|token| *token != ",").collect();
    if values.is_empty() { Err("a list is empty".to_owned()) } else { Ok(values) }
}

fn test(field: Field, how: Compare, value: &str) -> std::result::Result<Vec<Expr>, String> {
    let value = value.trim_matches('"');
    match field {
        Field::Address { family, offset } => {
            let cidr = value.parse().ok().or_else(|| parse_ip(value).map(Cidr::host));
            let cidr: Cidr = cidr
                .filter(|cidr: &Cidr| cidr.family() == family)
                .ok_or_else(|| format!("{} is no address or network of the family", excerpt(value)))?;
            let mask = family.mask(cidr.prefix());
            Ok(vec![
                Expr::payload(PayloadBase::Network, offset, family.octets().into(), Register::R1),
                Expr::mask(Register::R1, &ip_octets(mask)),
                Expr::cmp(Register::R1, how, &ip_octets(cidr.network())),
            ])
        }
        Field::Name(meta) => {
            let (name, exact) = value.strip_suffix('*').map_or((value, true), |name| (name, false));
            if IfName::new(name).is_err() {
                return Err(format!("{} is no interface name", excerpt(value)));
            }
            let mut bytes = name.as_bytes().to_vec();
            if exact {
                bytes.resize(16, 0);
            }
            Ok(vec![Expr::meta(meta, Register::R1), Expr::cmp(Register::R1, how, &bytes)])
        }
        Field::Mark => {
            let hex = value.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
            let mark =
                hex.unwrap_or_else(|| value.parse()).map_err(|_| format!("{} is no mark", excerpt(value)))?;
            Ok(vec![Expr::meta(Meta::Mark, Register::R1), Expr::cmp(Register::R1, how, &mark.to_ne_bytes())])
        }
    }
}
