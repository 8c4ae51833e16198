//! A number of the kernel's that configurations and `ip link` have a word for.

use std::fmt;

use cni_types::{Error, Result};

/// One of several words, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    word: &'static str,
    pub(super) number: u16,
}

impl Choice {
    pub(super) const fn new(word: &'static str, number: u16) -> Self {
        Self { word, number }
    }

    /// The choice that the configuration key `key` has made; the first one where it says nothing.
    ///
    /// # Errors
    /// Code 7 with all the words there are.
    pub(super) fn parse(key: &str, text: &str, choices: &[Self]) -> Result<Self> {
        let found = choices.iter().find(|choice| text.is_empty() || choice.word == text);
        found.copied().ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|choice| choice.word).collect();
            Error::config(format!("unknown {key} {text:?}: it must be {}", words.join(", ")))
        })
    }

    /// The choice with this number.
    pub(super) fn numbered(number: u32, choices: &[Self]) -> Option<Self> {
        choices.iter().find(|choice| u32::from(choice.number) == number).copied()
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}
