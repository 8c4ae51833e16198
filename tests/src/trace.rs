//! System calls of a plugin, seen by `strace`.

use std::fs;
use std::path::PathBuf;

/// A trace in preparation, and its lines afterwards.
#[derive(Debug)]
pub struct Trace {
    file: PathBuf,
    words: Vec<String>,
}

impl Trace {
    /// A trace of the plugin and its children with these `strace` filters, for example `trace=execve` or
    /// `inject=sendto:signal=KILL:when=3`.
    pub fn new(filters: &[&str]) -> Self {
        let file = PathBuf::from("/run/cni-tests/trace");
        fs::remove_file(&file).ok();
        let words = ["strace", "-f", "-qq", "-s", "0", "-o", file.to_str().unwrap()].map(str::to_owned);
        let filters = filters.iter().flat_map(|filter| ["-e".to_owned(), (*filter).to_owned()]);
        Self { file, words: words.into_iter().chain(filters).collect() }
    }

    /// The command line for [`crate::Call::under`].
    pub fn command(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// The trace's lines.
    pub fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.file).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
