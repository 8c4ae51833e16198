//! Validated names: whoever holds one may build a path, a chain name or a comment from it.

use std::fmt;

use crate::error::{Code, Error, Result};

/// Longest container id or network name in bytes: each becomes one file name (`NAME_MAX`, `linux/limits.h`).
const NAME_MAX: usize = 255;
/// Longest interface name in bytes (`IFNAMSIZ` − 1, `linux/if.h`).
const IFNAME_MAX: usize = 15;

/// The pattern of the specification for container ids and network names: an alphanumeric character, then
/// alphanumerics, `_`, `.` and `-`.
fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// `CNI_CONTAINERID`: one path component of at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);
text_newtype!(ContainerId);

impl ContainerId {
    /// # Errors
    /// Code 4 when the text is not a container id of the specification or is longer than 255 bytes.
    pub fn new(text: &str) -> Result<Self> {
        if text.len() <= NAME_MAX && is_identifier(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(
            Code::ENVIRONMENT,
            "invalid CNI_CONTAINERID: it must start with a letter or digit, hold only letters, digits, '_', '.' \
             and '-', and be at most 255 bytes long",
        )
        .because(excerpt(text)))
    }
}

/// The configuration's `name`: one path component of at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(String);
text_newtype!(NetworkName);

impl NetworkName {
    /// # Errors
    /// Code 7 when the text is empty, not a network name of the specification or longer than 255 bytes.
    pub fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::config("missing network name: the configuration has no \"name\""));
        }
        if text.len() <= NAME_MAX && is_identifier(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::config(
            "invalid characters or length in network name: it must start with a letter or digit, hold only letters, \
             digits, '_', '.' and '-', and be at most 255 bytes long",
        )
        .because(excerpt(text)))
    }
}

/// An interface name the kernel accepts (`dev_valid_name`, `net/core/dev.c`): 1–15 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName(String);
text_newtype!(IfName);

impl IfName {
    /// # Errors
    /// Says which rule the name breaks. The code is 4, that of an invalid environment variable; a configuration
    /// key that holds a name maps it to 7.
    pub fn new(text: &str) -> Result<Self> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if text.len() > IFNAME_MAX {
            "it is longer than 15 bytes"
        } else if text == "." || text == ".." {
            "it is a relative path"
        } else if text.contains(|c: char| "/:%\0".contains(c) || c.is_whitespace()) {
            // The kernel takes a '%' for a pattern to number (`dev_alloc_name`): no interface can have one.
            "it holds an invalid character ('/', ':', '%', NUL or white space)"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::new(Code::ENVIRONMENT, format!("invalid interface name: {problem}"))
            .because(excerpt(text)))
    }
}

/// The `type` of a plugin or delegate: one path component, looked up in `CNI_PATH` only (CVE-2021-20206).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginName(String);
text_newtype!(PluginName);

impl PluginName {
    /// # Errors
    /// Code 7 for an empty name, `.`, `..`, or one with `/` or NUL in it.
    pub fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::config("no plugin name provided"));
        }
        if text == "." || text == ".." || text.contains(['/', '\0']) {
            return Err(
                Error::config("invalid plugin name: it must be one path component").because(excerpt(text))
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// A foreign text made fit for an error message: quoted, control characters escaped, cut at 80 characters.
pub fn excerpt(text: &str) -> String {
    format!("{:?}", cut(text, 80))
}

/// The text's first `max` characters, with an ellipsis when there are more.
pub fn cut(text: &str, max: usize) -> String {
    let mut cut: String = text.chars().take(max).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
