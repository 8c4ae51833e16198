//! The input of `iptables-restore`. Every word goes through one quoting function.

use cni_types::{Code, Error, Result, excerpt};

/// Commands for one table, carried out together or not at all.
#[derive(Debug, Clone)]
pub struct Script {
    table: String,
    body: String,
    commands: usize,
    is_shared: bool,
    unsayable: Option<String>,
}

impl Script {
    /// An empty script for a table: `nat` or `filter`.
    pub fn new(table: &str) -> Self {
        Self { table: table.to_owned(), body: String::new(), commands: 0, is_shared: false, unsayable: None }
    }

    /// Creates a chain; one that is there is emptied.
    pub fn chain(&mut self, name: &str) {
        self.body.push(':');
        self.words(&[name, "-", "[0:0]"]);
    }

    /// A command as iptables takes it, one word each.
    pub fn command(&mut self, words: &[&str]) {
        self.words(words);
    }

    /// The same with words of their own.
    pub fn owned_command(&mut self, words: &[String]) {
        self.words(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Says that others' commands stand on those that are in it so far.
    pub fn share(&mut self) {
        self.is_shared = !self.is_empty();
    }

    /// Whether others' commands stand on it.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// Its commands, a line each.
    ///
    /// # Errors
    /// Code 101 when a word holds a character the format has no way to write.
    pub(crate) fn body(&self) -> Result<&str> {
        match &self.unsayable {
            None => Ok(&self.body),
            Some(word) => {
                Err(Error::new(Code::FILTER, "iptables cannot take a text with control characters")
                    .because(word))
            }
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.commands == 0
    }

    /// The whole input.
    ///
    /// # Errors
    /// As [`Self::body`].
    pub fn text(&self) -> Result<String> {
        Ok(format!("*{}\n{}COMMIT\n", self.table, self.body()?))
    }

    fn words(&mut self, words: &[&str]) {
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                self.body.push(' ');
            }
            match quote(word) {
                Some(quoted) => self.body.push_str(&quoted),
                None => self.unsayable = Some(excerpt(word)),
            }
        }
        self.body.push('\n');
        self.commands += 1;
    }
}

/// The word as `iptables-restore` reads it back (`add_param_to_argv`, `xshared.c`): in double quotes a backslash takes
/// the next character as it is. A control character could end the line, so there is no way to write one.
fn quote(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:!,[]".contains(&b)) {
        return Some(word.to_owned());
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Some(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_word() {
        for (word, quoted) in [
            ("CNI-1", Some("CNI-1")),
            ("", Some("\"\"")),
            ("a b", Some("\"a b\"")),
            ("name: \"x\"", Some("\"name: \\\"x\\\"\"")),
            ("x\\", Some("\"x\\\\\"")),
            ("#x", Some("\"#x\"")),
            ("x;-F", Some("\"x;-F\"")),
            ("x\nCOMMIT", None),
            ("x\0", None),
            ("x\u{85}", None),
        ] {
            assert_eq!(quote(word).as_deref(), quoted, "{word:?}");
        }
    }

    #[test]
    fn a_script_with_an_unsayable_word_is_never_run() {
        let mut script = Script::new("nat");
        script.command(&["-A", "x\n-F POSTROUTING"]);
        let error = script.text().unwrap_err();
        assert_eq!(error.code, Code::FILTER);
        assert!(error.details.contains("\\n"), "{error}");
    }
}
