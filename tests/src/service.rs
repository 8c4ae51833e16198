//! Long-running children: servers, daemons, monitors.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use crate::{LIMIT, run};

/// A child that runs until this is dropped, and what it prints: a test waits for a line instead of for time to pass.
#[derive(Debug)]
pub struct Service {
    child: Child,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
struct Log {
    printed: Mutex<Printed>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Printed {
    lines: Vec<String>,
    /// Whether every writer has closed its end.
    ended: bool,
}

impl Service {
    /// Starts it; stdout and stderr are its log. Its stdin is empty unless the command has one.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let stderr = OwnedFd::from(theirs.try_clone().unwrap());
        command.stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::from(stderr));
        let child = command.spawn().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
        // The command holds the child's ends of the pair, which would then never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let log = Arc::<Log>::default();
        let follower = Arc::clone(&log);
        std::thread::spawn(move || follower.follow(ours));
        Self { child, log }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.log.printed.lock().unwrap().lines.clone()
    }

    /// How many of the lines so far have all of these parts.
    pub fn count(&self, parts: &[&str]) -> usize {
        self.lines().iter().filter(|line| has(line, parts)).count()
    }

    /// Waits until `found` is satisfied with what it has printed.
    ///
    /// # Panics
    /// When that does not come within [`LIMIT`], or the child has ended.
    pub fn wait_for<T>(&self, what: &str, mut found: impl FnMut(&[String]) -> Option<T>) -> T {
        let start = Instant::now();
        let mut printed = self.log.printed.lock().unwrap();
        loop {
            if let Some(found) = found(&printed.lines) {
                return found;
            }
            let left = LIMIT.saturating_sub(start.elapsed());
            if left.is_zero() || printed.ended {
                // The log itself is shown when this is dropped.
                let ended = printed.ended;
                drop(printed);
                assert!(!ended, "process {} has ended without {what}", self.pid());
                panic!("process {} has not printed {what} within {} s", self.pid(), LIMIT.as_secs());
            }
            printed = self.log.grown.wait_timeout(printed, left).unwrap().0;
        }
    }

    /// Waits for a line with all of these parts; returns the first.
    pub fn line(&self, parts: &[&str]) -> String {
        self.nth_line(1, parts)
    }

    /// Waits for the `n`th line, counted from 1, with all of these parts.
    pub fn nth_line(&self, n: usize, parts: &[&str]) -> String {
        // Each line is looked at once, however many there are.
        let (mut looked_at, mut matches) = (0, 0);
        self.wait_for(&format!("line {n} with {parts:?}"), |lines| {
            let new = &lines[looked_at..];
            looked_at = lines.len();
            new.iter()
                .find(|line| {
                    matches += usize::from(has(line, parts));
                    matches == n
                })
                .cloned()
        })
    }

    /// Sends a signal, for example `TERM`, `KILL` or `HUP`.
    pub fn signal(&self, name: &str) {
        let done = run(Command::new("kill").args(["-s", name, &self.pid().to_string()]), b"");
        assert!(done.status.success(), "{}", done.stderr);
    }

    /// Ends it with a signal and waits for it.
    pub fn end(mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        // Its log ends with it.
        let ended = |printed: &mut Printed| !printed.ended;
        let printed = self.log.printed.lock().unwrap();
        let (printed, waited) = self.log.grown.wait_timeout_while(printed, LIMIT, ended).unwrap();
        drop(printed);
        assert!(!waited.timed_out(), "process {} does not end by SIG{signal}", self.pid());
        self.child.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            println!("log of process {}:\n{}", self.pid(), self.lines().join("\n"));
        }
    }
}

impl Log {
    fn follow(&self, stream: UnixStream) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.printed.lock().unwrap().lines.push(text);
            self.grown.notify_all();
            line.clear();
        }
        self.printed.lock().unwrap().ended = true;
        self.grown.notify_all();
    }
}

fn has(line: &str, parts: &[&str]) -> bool {
    parts.iter().all(|part| line.contains(part))
}
