//! Conditions of the nftables backend: a subset of nft's language.
//!
//! ```text
//! conditions = { field [ "==" | "!=" ] values }
//! field      = "ip" ( "saddr" | "daddr" ) | "ip6" ( "saddr" | "daddr" ) | [ "meta" ] ( "iifname" | "oifname" | "mark" )
//! values     = value | "{" value { "," value } "}"
//! ```

use cni_types::{Cidr, Error, Family, IfName, Result, excerpt, hex, parse_ip};

/// How many rules one list of conditions may become.
const RULES_MAX: usize = 64;

/// Mappings under the same conditions share maps and rules.
#[derive(PartialEq)]
pub(crate) struct Class {
    /// A hash of the conditions.
    pub(crate) name: String,
    /// The conditions as configured.
    pub(crate) text: String,
    /// A packet that satisfies all of any of these goes.
    pub(crate) alternatives: Vec<String>,
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

type Read<T> = std::result::Result<T, String>;

fn parse(tokens: &[&str], family: Family) -> Read<Vec<String>> {
    let mut alternatives = vec![String::new()];
    let mut rest = tokens;
    while !rest.is_empty() {
        let field = field(&mut rest, family)?;
        let is_negated = rest.first() == Some(&"!=");
        if matches!(rest.first(), Some(&("!=" | "=="))) {
            rest = &rest[1..];
        }
        let values = values(&mut rest)?;
        let how = if is_negated { "!= " } else { "" };
        let test = |text: &&str| Ok(format!(" {field} {how}{}", value(field, family, text)?));
        let tests = values.iter().map(test).collect::<Read<Vec<String>>>()?;
        if is_negated {
            alternatives
                .iter_mut()
                .for_each(|conditions| conditions.extend(tests.iter().map(String::as_str)));
        } else {
            let each = |conditions: &String| -> Vec<String> {
                tests.iter().map(|test| format!("{conditions}{test}")).collect()
            };
            alternatives = alternatives.iter().flat_map(each).collect();
        }
        if alternatives.len() > RULES_MAX {
            return Err(format!("the lists multiply to more than {RULES_MAX} rules"));
        }
    }
    Ok(alternatives)
}

/// The field of the family that comes next, in full.
fn field(rest: &mut &[&str], family: Family) -> Read<&'static str> {
    if rest.first() == Some(&"meta") {
        *rest = &rest[1..];
    }
    let known = match (family, &**rest) {
        (Family::V4, ["ip", "saddr", ..]) => Some(("ip saddr", 2)),
        (Family::V4, ["ip", "daddr", ..]) => Some(("ip daddr", 2)),
        (Family::V6, ["ip6", "saddr", ..]) => Some(("ip6 saddr", 2)),
        (Family::V6, ["ip6", "daddr", ..]) => Some(("ip6 daddr", 2)),
        (_, ["iifname", ..]) => Some(("iifname", 1)),
        (_, ["oifname", ..]) => Some(("oifname", 1)),
        (_, ["mark", ..]) => Some(("meta mark", 1)),
        _ => None,
    };
    let (field, length) =
        known.ok_or_else(|| format!("cannot take the condition {}", excerpt(&rest.join(" "))))?;
    *rest = &rest[length..];
    Ok(field)
}

fn values<'a>(rest: &mut &[&'a str]) -> Read<Vec<&'a str>> {
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

/// A value as it stands in a rule.
fn value(field: &str, family: Family, text: &str) -> Read<String> {
    let text = text.trim_matches('"');
    match field {
        "iifname" | "oifname" => {
            let name = text.strip_suffix('*').unwrap_or(text);
            let is_name = IfName::new(name).is_ok() && !name.contains('"');
            let quoted = is_name.then(|| format!("\"{text}\""));
            quoted.ok_or_else(|| format!("{} is no interface name", excerpt(text)))
        }
        "meta mark" => {
            let hex = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
            let mark = hex.unwrap_or_else(|| text.parse());
            mark.map(|mark| mark.to_string()).map_err(|_| format!("{} is no mark", excerpt(text)))
        }
        _ => {
            let network = text.parse().ok().or_else(|| parse_ip(text).map(Cidr::host));
            let network = network.filter(|network: &Cidr| network.family() == family);
            let network = network.map(|network| network.masked().to_string());
            network.ok_or_else(|| format!("{} is no address or network of the family", excerpt(text)))
        }
    }
}
