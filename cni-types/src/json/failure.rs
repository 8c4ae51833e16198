//! Why a document does not decode, in words for the person who wrote it.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use serde_json::Number;

use super::Json;
use crate::name::{cut, excerpt};

/// Longest text in characters: a message quotes its input, and must not grow with it.
const TEXT_MAX: usize = 400;

/// Where decoding failed (`a.b[0]`, empty at the top) and why. What makes one is not inlined: there is a decoder for each
/// type of keys.
#[derive(Debug)]
pub(super) struct Failure {
    path: String,
    problem: String,
}

impl Failure {
    #[cold]
    #[inline(never)]
    pub(super) fn wrong_kind(given: &Json, wanted: &str) -> Self {
        de::Error::custom(format_args!("invalid type: {}, expected {wanted}", given.kind()))
    }

    /// The same failure seen from the list around it.
    #[cold]
    #[inline(never)]
    pub(super) fn under_item(self, at: usize) -> Self {
        self.under(&format!("[{at}]"))
    }

    /// The same failure seen from the object or list around it.
    #[cold]
    #[inline(never)]
    pub(super) fn under(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = cut(&self.problem, TEXT_MAX);
        if self.path.is_empty() {
            f.write_str(&problem)
        } else {
            write!(f, "key {}: {problem}", excerpt(&self.path))
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self { path: String::new(), problem: problem.to_string() }
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(given: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let hint = match given {
            // A string where none is wanted.
            Unexpected::Str(text) if text.parse::<i64>().is_ok() || ["true", "false"].contains(&text) => {
                format!("; write {text} without quotes")
            }
            _ => String::new(),
        };
        Self::custom(format_args!("invalid type: {}, expected {}{hint}", name(&given), describe(wanted)))
    }

    #[cold]
    #[inline(never)]
    fn invalid_value(given: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::custom(format_args!("invalid value: {}, expected {}", name(&given), describe(wanted)))
    }
}

/// serde's words for a value, with JSON's in place of Rust's.
fn name(given: &Unexpected<'_>) -> String {
    match given {
        Unexpected::Str(text) => format!("string {}", excerpt(text)),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "list".to_owned(),
        Unexpected::Map => "object".to_owned(),
        Unexpected::Bool(value) => format!("boolean `{value}`"),
        Unexpected::Unsigned(number) => format!("integer `{number}`"),
        Unexpected::Signed(number) => format!("integer `{number}`"),
        // As the document has it: the standard library's way to print one is 10 kB more.
        Unexpected::Float(number) => {
            let text = Number::from_f64(*number).map(|number| number.to_string());
            format!("floating point `{}`", text.unwrap_or_default())
        }
        // A document has no other values.
        _ => "another kind of value".to_owned(),
    }
}

fn describe(wanted: &dyn Expected) -> String {
    let wanted = wanted.to_string();
    let range = match wanted.as_str() {
        "u8" => "0 to 255",
        "u16" => "0 to 65535",
        "u32" => "0 to 4294967295",
        "u64" | "usize" => "0 to 18446744073709551615",
        "i32" => "-2147483648 to 2147483647",
        // No key means that interval: its own is checked, and told, by whoever reads it.
        "i64" => return "a whole number".to_owned(),
        "a sequence" => return "a list".to_owned(),
        "a map" => return "an object".to_owned(),
        _ => return wanted,
    };
    format!("a whole number from {range}")
}
