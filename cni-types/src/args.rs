//! `CNI_ARGS`: `K=V;K2=V2`, read as strictly as the reference does.

use crate::error::{Code, Error, Result};
use crate::name::{cut, excerpt};

/// The text of `CNI_ARGS`, not yet looked at: a plugin that takes no arguments accepts any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CniArgs(String);

impl CniArgs {
    /// Keeps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The values of `keys`, in their order; the last one wins where a key is repeated. Keys are case-sensitive.
    ///
    /// # Errors
    /// Code 4 for a pair without exactly one `=`, for an `IgnoreUnknown` that is no boolean, and for keys outside
    /// `keys` unless `IgnoreUnknown` is true.
    pub fn values<const N: usize>(&self, keys: [&str; N]) -> Result<[Option<String>; N]> {
        let mut values = [const { None }; N];
        let mut unknown = Vec::new();
        let mut ignore_unknown = false;
        for pair in self.pairs() {
            let (key, value) = split(pair)
                .ok_or_else(|| self.bad(format!("invalid pair {}: it must be KEY=VALUE", excerpt(pair))))?;
            if key == "IgnoreUnknown" {
                ignore_unknown = boolean(value).ok_or_else(|| {
                    let value = excerpt(value);
                    self.bad(format!("IgnoreUnknown is {value}: it must be 1, true, 0 or false"))
                })?;
            } else if let Some(slot) = keys.iter().position(|k| *k == key) {
                values[slot] = Some(value.to_owned());
            } else {
                unknown.push(pair);
            }
        }
        if unknown.is_empty() || ignore_unknown {
            return Ok(values);
        }
        let unknown = cut(&format!("{unknown:?}"), 200);
        let known = if N == 0 { "none".to_owned() } else { keys.join(", ") };
        Err(self.bad(format!("unknown args {unknown}; known are {known}; IgnoreUnknown=1 lets others pass")))
    }

    fn pairs(&self) -> impl Iterator<Item = &str> {
        let all = if self.0.is_empty() { None } else { Some(self.0.split(';')) };
        all.into_iter().flatten()
    }

    fn bad(&self, why: String) -> Error {
        Error::new(Code::ENVIRONMENT, format!("CNI_ARGS: {why}")).because(excerpt(&self.0))
    }
}

fn split(pair: &str) -> Option<(&str, &str)> {
    pair.split_once('=').filter(|(_, value)| !value.contains('='))
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}
