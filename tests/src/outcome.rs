//! What a plugin answered, read strictly.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Finished;

/// The answer of one call.
#[derive(Debug)]
pub struct Outcome {
    what: String,
    program: PathBuf,
    /// The exit code; none when a signal ended the plugin.
    pub exit: Option<i32>,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

/// A CNI error object.
#[derive(Debug, PartialEq, Eq)]
pub struct CniError {
    /// The code.
    pub code: u64,
    /// `msg` and `details` in one text.
    pub text: String,
}

impl Outcome {
    pub(crate) fn new(verb: &str, program: &Path, done: Finished) -> Self {
        Self {
            what: verb.to_owned(),
            program: program.to_owned(),
            exit: done.status.code(),
            stdout: String::from_utf8(done.stdout).expect("stdout is UTF-8"),
            stderr: done.stderr,
        }
    }

    /// The result ADD printed.
    ///
    /// # Panics
    /// When the call failed, or stdout is not exactly one JSON object.
    pub fn result(&self) -> Value {
        self.expect_exit(0);
        let document = self.document();
        assert!(document.get("code").is_none(), "an error object with exit status 0: {self:?}");
        document
    }

    /// The call succeeded and printed nothing.
    ///
    /// # Panics
    /// Otherwise.
    pub fn done(&self) {
        self.expect_exit(0);
        assert_eq!(self.stdout, "", "{} of {} prints nothing on success", self.what, self.program.display());
    }

    /// GC succeeded without its list of attachments, and said so.
    ///
    /// # Panics
    /// Otherwise.
    pub fn freed_nothing(&self) {
        self.done();
        assert!(self.stderr.contains("GC freed nothing"), "{self:?}");
    }

    /// The error object the call failed with.
    ///
    /// # Panics
    /// When it succeeded, ended by a signal, exited with anything but 1, or stdout is not exactly one error object.
    pub fn error(&self) -> CniError {
        self.expect_exit(1);
        let object = self.document();
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("msg").is_empty(), "an error object without msg: {self:?}");
        let code = object["code"].as_u64().unwrap_or_else(|| panic!("no code: {self:?}"));
        assert!(!self.stderr.contains("panicked at"), "the plugin panicked: {self:?}");
        CniError { code, text: format!("{}: {}", text("msg"), text("details")) }
    }

    fn expect_exit(&self, code: i32) {
        assert_eq!(
            self.exit,
            Some(code),
            "{} of {}: stdout {:?}, stderr {:?}",
            self.what,
            self.program.display(),
            self.stdout,
            self.stderr
        );
    }

    /// The one document on stdout: `from_str` refuses anything after it.
    fn document(&self) -> Value {
        let document: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("stdout: {e}: {self:?}"));
        assert!(document.is_object(), "stdout is no object: {self:?}");
        document
    }
}

impl CniError {
    /// Asserts the code and that the text holds every one of `parts`.
    ///
    /// # Panics
    /// Otherwise.
    pub fn says(&self, code: u64, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.text.contains(part), "{part:?} is not in {:?}", self.text);
        }
    }
}
