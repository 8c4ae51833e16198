//! The arguments behind a verb, one after the other: the one way that options are read.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::slice::Iter;

use cni_types::excerpt;

use super::command::Result;
use super::mistake::mistake;

/// One argument.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// An option's name, with its dashes. What it is given, behind `=` or as the next argument, is [`Words::value`]'s.
    Option(String),
    /// Anything else; `-` too.
    Plain(&'a OsString),
}

pub(super) struct Words<'a> {
    verb: &'static str,
    rest: Iter<'a, OsString>,
    /// The last option, and what was behind its `=`.
    given: Option<(String, &'a OsStr)>,
}

impl<'a> Words<'a> {
    pub(super) fn new(verb: &'static str, arguments: &'a [OsString]) -> Self {
        Self { verb, rest: arguments.iter(), given: None }
    }

    /// The next one.
    ///
    /// # Errors
    /// When the option before was given a value that nobody took.
    pub(super) fn next(&mut self) -> Result<Option<Word<'a>>> {
        if let Some((name, _)) = self.given.take() {
            return Err(self.wrong(&format!("{name} takes no value")));
        }
        let Some(word) = self.rest.next() else { return Ok(None) };
        let bytes = word.as_bytes();
        if !bytes.starts_with(b"-") || bytes == b"-" {
            return Ok(Some(Word::Plain(word)));
        }
        let equals = bytes.iter().position(|byte| *byte == b'=').filter(|_| bytes.starts_with(b"--"));
        let name = String::from_utf8_lossy(&bytes[..equals.unwrap_or(bytes.len())]).into_owned();
        self.given = equals.map(|at| (name.clone(), OsStr::from_bytes(&bytes[at + 1..])));
        Ok(Some(Word::Option(name)))
    }

    /// What the option was given.
    ///
    /// # Errors
    /// When there is nothing.
    pub(super) fn value(&mut self, name: &str) -> Result<&'a OsStr> {
        let value = match self.given.take() {
            Some((_, value)) => Some(value),
            None => self.rest.next().map(OsString::as_os_str),
        };
        value.filter(|value| !value.is_empty()).ok_or_else(|| self.wrong(&format!("{name} needs a value")))
    }

    /// The same as text.
    ///
    /// # Errors
    /// When there is nothing, or it is none.
    pub(super) fn text(&mut self, name: &str) -> Result<String> {
        let value = self.value(name)?;
        value.to_str().map(str::to_owned).ok_or_else(|| self.not_text(value))
    }

    /// A word as text.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn plain(&self, word: &OsStr) -> Result<String> {
        word.to_str().map(str::to_owned).ok_or_else(|| self.not_text(word))
    }

    fn not_text(&self, word: &OsStr) -> String {
        self.wrong(&format!("{} is not UTF-8", excerpt(&word.to_string_lossy())))
    }

    /// What is wrong, and how the verb is used.
    pub(super) fn wrong(&self, what: &str) -> String {
        mistake(self.verb, what)
    }

    /// The mistake of an argument that the verb does not take.
    pub(super) fn unknown(&self, word: &Word<'_>) -> String {
        match word {
            Word::Option(name) => self.wrong(&format!("unknown option {}", excerpt(name))),
            Word::Plain(word) => {
                self.wrong(&format!("it takes options only, not {}", excerpt(&word.to_string_lossy())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_their_values_behind_an_equals_sign_or_a_space_and_paths_any_bytes() {
        let path = OsStr::from_bytes(b"/a\xff=b").to_owned();
        let joined = OsStr::from_bytes(b"--to=/a\xff=b").to_owned();
        let all = ["--to".into(), path.clone(), joined, "-".into(), "x=y".into(), "-o".into()];
        let mut words = Words::new("ls", &all);
        for _ in 0..2 {
            assert_eq!(words.next(), Ok(Some(Word::Option("--to".into()))));
            assert_eq!(words.value("--to"), Ok(path.as_os_str()));
        }
        for plain in ["-", "x=y"] {
            assert_eq!(words.next(), Ok(Some(Word::Plain(&plain.into()))));
        }
        assert_eq!(words.next(), Ok(Some(Word::Option("-o".into()))));
        assert!(words.value("-o").unwrap_err().contains("-o needs a value"));
        assert_eq!(words.next(), Ok(None));
    }

    #[test]
    fn a_value_that_nobody_takes_is_a_mistake() {
        let all = ["--watch=1".into()];
        let mut words = Words::new("ls", &all);
        assert!(words.next().is_ok());
        assert!(words.next().unwrap_err().contains("--watch takes no value"));
    }
}
