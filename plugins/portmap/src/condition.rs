//! Conditions of the nftables backend: a subset of nft's language, turned into expressions without the `nft` tool.
//!
//! ```text
//! conditions = { field [ "==" | "!=" ] values }
//! field      = "ip" ( "saddr" | "daddr" ) | "ip6" ( "saddr" | "daddr" ) | [ "meta" ] ( "iifname" | "oifname" | "mark" )
//! values     = value | "{" value { "," value } "}"
//! ```

use std::net::IpAddr;

use cni_filter::nft::{Compare, Expr, Meta, PayloadBase, Register};
use cni_types::{Cidr, Error, IfName, Result, excerpt, hex, parse_ip};

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
    pub(crate) fn read(words: &[String], ipv4: bool) -> Result<Option<Self>> {
        if words.is_empty() {
            return Ok(None);
        }
        let text = words.join(" ");
        let spaced = text.replace('{', " { ").replace('}', " } ").replace(',', " , ");
        let tokens: Vec<&str> = spaced.split_whitespace().collect();
        let key = if ipv4 { "conditionsV4" } else { "conditionsV6" };
        let alternatives = parse(&tokens, ipv4).map_err(|what| {
            Error::config(format!("key \"{key}\": {what}")).because(
                "the nftables backend takes: ip|ip6 saddr|daddr, [meta] iifname|oifname|mark, each followed by an \
                 optional == or !=, and a value or { value, value }",
            )
        })?;
        Ok(Some(Self { name: hex(&text, 8), text, alternatives }))
    }

    /// The mark on the rules of the class in a family.
    pub(crate) fn comment(&self, ipv4: bool) -> String {
        format!("{}_{} {}", if ipv4 { 4 } else { 6 }, self.name, self.text)
            .chars()
            .filter(|c| !c.is_control() && *c != '"')
            .take(100)
            .collect()
    }
}

/// What is compared.
#[derive(Clone, Copy)]
enum Field {
    Address { ipv4: bool, offset: u32 },
    Name(Meta),
    Mark,
}

fn parse(tokens: &[&str], ipv4: bool) -> std::result::Result<Vec<Vec<Expr>>, String> {
    let mut alternatives = vec![Vec::new()];
    let mut rest = tokens;
    while !rest.is_empty() {
        let field = field(&mut rest, ipv4)?;
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

fn field(rest: &mut &[&str], ipv4: bool) -> std::result::Result<Field, String> {
    if rest.first() == Some(&"meta") {
        *rest = &rest[1..];
    }
    let known = match rest {
        ["ip", "saddr", ..] if ipv4 => Some((Field::Address { ipv4, offset: 12 }, 2)),
        ["ip", "daddr", ..] if ipv4 => Some((Field::Address { ipv4, offset: 16 }, 2)),
        ["ip6", "saddr", ..] if !ipv4 => Some((Field::Address { ipv4, offset: 8 }, 2)),
        ["ip6", "daddr", ..] if !ipv4 => Some((Field::Address { ipv4, offset: 24 }, 2)),
        ["iifname", ..] => Some((Field::Name(Meta::IifName), 1)),
        ["oifname", ..] => Some((Field::Name(Meta::OifName), 1)),
        ["mark", ..] => Some((Field::Mark, 1)),
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
        Field::Address { ipv4, offset } => {
            let cidr = value.parse().ok().or_else(|| parse_ip(value).map(Cidr::host));
            let cidr: Cidr = cidr
                .filter(|cidr: &Cidr| cidr.is_ipv4() == ipv4)
                .ok_or_else(|| format!("{} is no address or network of the family", excerpt(value)))?;
            let ones = if ipv4 { IpAddr::from([255; 4]) } else { IpAddr::from([255; 16]) };
            let mask = Cidr::new(ones, cidr.prefix()).map_or(ones, |mask| mask.network());
            let len = if ipv4 { 4 } else { 16 };
            Ok(vec![
                Expr::payload(PayloadBase::Network, offset, len, Register::R1),
                Expr::mask(Register::R1, &octets(mask)),
                Expr::cmp(Register::R1, how, &octets(cidr.network())),
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

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
