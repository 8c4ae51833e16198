//! What a configuration may call a link that is there.

use std::fmt;

use cni_types::{Error, Form, FromText, Result, excerpt};

/// Longest alternative name in bytes (`ALTIFNAMSIZ` − 1, `linux/if.h`).
const NAME_MAX: usize = 127;

/// A link's name or one of its alternative names (`ip link property add altname`, since Linux 5.5): 1–127 bytes.
/// `IFNAMSIZ` limits the name alone, so systemd gives `enP48661p0s2f0np0d1` as an alternative one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkName(String);

impl LinkName {
    /// # Errors
    /// Code 7 with the rule that the text breaks.
    pub fn new(text: &str) -> Result<Self> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if text.len() > NAME_MAX {
            "it is longer than 127 bytes, which no alternative name is either"
        } else if text == "." || text == ".." {
            "it is a relative path"
        } else if text.contains(|c: char| "/\0".contains(c) || c.is_whitespace()) {
            "it holds an invalid character ('/', NUL or white space)"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::config(format!("invalid interface name: {problem}")).because(excerpt(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromText for LinkName {
    const FORM: Form = Form::Text { what: "link name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
