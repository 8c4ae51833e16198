//! JSON read as Go's `encoding/json` reads it, in one place: object keys match without regard to case, but one that is
//! exactly the field's goes before; the last duplicate wins, objects of one name are merged, `null` leaves what is
//! there, unknown keys are ignored, numbers must be of their field's kind.
//!
//! Stricter than Go on purpose: text that is not UTF-8 and numbers outside the range of a double are refused as a
//! whole.

mod decode;
mod failure;
mod fields;
mod print;
mod reader;
mod scalar;
mod text;
mod tree;

use std::collections::BTreeMap;

use serde_json::Number;

use crate::order::sort_by;

pub use fields::{Fields, deserialize_fields, set_field};
pub use print::push_string;
pub use text::{Flaw, JsonNode, read_json};

/// A JSON document with its keys in input order, duplicates included. Only objects of one name are one.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(Number),
    /// A string
    String(String),
    /// A list
    Array(Vec<Json>),
    /// An object
    Object(Vec<(String, Json)>),
    /// A list or object below 127 others, as its text. No key of ours lies there, and a tree of 10 000 levels would be
    /// more than the stack of whoever walks it.
    Deep(String),
}

impl Json {
    /// The last value under exactly this key that is not null, or else under one that differs in case; `None` too when
    /// this is no object. Go prints a struct with the fields `address` and `Address`: they are two.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let mut given = members.iter().rev().filter(|(_, value)| *value != Self::Null);
        let exact = given.clone().find(|(k, _)| k == key);
        exact.or_else(|| given.find(|(k, _)| same_key(k, key))).map(|(_, value)| value)
    }

    /// An object of these members. Objects under one name are merged, as Go decodes the second into what the first has
    /// filled.
    pub(crate) fn merged(members: Vec<(String, Self)>) -> Self {
        let objects = members.iter().filter(|(_, value)| matches!(value, Self::Object(_))).count();
        if objects < 2 {
            return Self::Object(members);
        }
        let mut first = BTreeMap::new();
        let mut merged: Vec<(String, Self)> = Vec::with_capacity(members.len());
        let mut twice = Vec::new();
        for (key, value) in members {
            if let Self::Object(more) = value {
                let at = *first.entry(folded(&key).collect::<String>()).or_insert(merged.len());
                if let Some((_, Self::Object(before))) = merged.get_mut(at) {
                    before.extend(more);
                    twice.push(at);
                } else {
                    merged.push((key, Self::Object(more)));
                }
            } else {
                merged.push((key, value));
            }
        }
        twice.dedup();
        for at in twice {
            if let Some((_, Self::Object(members))) = merged.get_mut(at) {
                *members = match Self::merged(std::mem::take(members)) {
                    Self::Object(members) => members,
                    _ => Vec::new(),
                };
            }
        }
        Self::Object(merged)
    }

    /// Whether there is a member `key` (case ignored), be it null.
    pub fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(members) if members.iter().any(|(k, _)| same_key(k, key)))
    }

    /// The string under `key`, if there is one and it is a string.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Self::String(text)) => Some(text),
            _ => None,
        }
    }

    /// What this is, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "list",
            Self::Object(_) => "object",
            Self::Deep(_) => "more than 127 levels of nesting",
        }
    }

    /// Writes whole numbers as such: `1400.0` is 1400, `1e+09` is 1000000000. So they come out when Go reads a document
    /// whose keys it does not know and prints it again; fields for integers take no others.
    pub fn whole_numbers(&mut self) {
        match self {
            Self::Number(number) => {
                let integer = whole(&number.to_string()).and_then(|digits| match digits.strip_prefix('-') {
                    Some("0") => Some(0.into()),
                    Some(_) => digits.parse::<i64>().ok().map(Number::from),
                    None => digits.parse::<u64>().ok().map(Number::from),
                });
                if let Some(integer) = integer {
                    *number = integer;
                }
            }
            Self::Array(items) => items.iter_mut().for_each(Self::whole_numbers),
            Self::Object(members) => members.iter_mut().for_each(|(_, value)| value.whole_numbers()),
            _ => {}
        }
    }

    /// Puts the members of every object into alphabetical order.
    pub fn sort_keys(&mut self) {
        match self {
            Self::Array(items) => items.iter_mut().for_each(Self::sort_keys),
            Self::Object(members) => {
                sort_by(members, |(a, _), (b, _)| a < b);
                members.iter_mut().for_each(|(_, value)| value.sort_keys());
            }
            _ => {}
        }
    }
}

/// The digits of a number that is whole and not written so: `1400` of `1400.0`, `1500000000000000000` of `1.5e18`.
fn whole(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (fraction, exponent) = (fraction.trim_end_matches('0'), exponent.parse::<usize>().ok()?);
    (fraction.len() <= exponent).then(|| format!("{whole}{fraction:0<exponent$}"))
}

/// Go's `foldName`: ASCII case, and the two letters beyond ASCII that fold into it, the Kelvin sign and the long s.
pub fn same_key(a: &str, b: &str) -> bool {
    folded(a).eq(folded(b))
}

fn folded(key: &str) -> impl Iterator<Item = char> {
    key.chars().map(|c| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        _ => c.to_ascii_lowercase(),
    })
}
