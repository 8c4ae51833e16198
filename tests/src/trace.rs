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
        let words = ["strace", "-f", "-qq", "-s", "64", "-o", file.to_str().unwrap()].map(str::to_owned);
        let filters = filters.iter().flat_map(|filter| ["-e".to_owned(), (*filter).to_owned()]);
        Self { file, words: words.into_iter().chain(filters).collect() }
    }

    /// A trace of the plugin alone in which the kernel refuses the `n`th netlink request of this length in bytes: its
    /// type is overwritten with one that no family has.
    pub fn refusing(n: usize, length: u32) -> Self {
        let header = [&length.to_ne_bytes()[..], &[0xff, 0xff]].concat();
        let header: String = header.iter().map(|byte| format!("{byte:02x}")).collect();
        let inject = format!("inject=sendto:poke_enter=@arg2={header}:when={n}");
        Self::new(&["trace=sendto", &inject]).without_children()
    }

    /// The lengths of the netlink requests that were sent, the first of each send.
    pub fn request_lengths(&self) -> Vec<u32> {
        let lines = self.lines();
        let sends = lines.iter().filter(|line| line.contains("sendto("));
        let length = |line: &String| {
            let digits =
                line.split_once("nlmsg_len=").unwrap_or_else(|| panic!("no netlink header: {line}")).1;
            digits.split(',').next().unwrap().parse().unwrap()
        };
        sends.map(length).collect()
    }

    /// The same trace of the plugin alone.
    #[must_use]
    pub fn without_children(mut self) -> Self {
        self.words.retain(|word| word != "-f");
        self
    }

    /// The same trace of the plugin and its children, each thread of which has its own count.
    #[must_use]
    pub fn with_threads(mut self) -> Self {
        if !self.words.iter().any(|word| word == "-f") {
            self.words.insert(1, "-f".to_owned());
        }
        self
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
