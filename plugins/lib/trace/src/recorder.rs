//! The runs of this process, and the phases they are in. A plugin that another one calls in its process is a run of its
//! own within that one's. Threads are waited for where they are started; what several of them do at a time (`cnitool
//! gc`) is each one's own, and is part of what the first one is in.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cni_types::{Error, Json};

use crate::context::Context;
use crate::line::Line;
use crate::open::Open;
use crate::switch::Switches;
use crate::{Lookup, clock, sink};

/// Whether anything is recorded: all that is looked at while it is not.
static IS_ON: AtomicBool = AtomicBool::new(false);
static ASKS: AtomicBool = AtomicBool::new(false);
/// Whether a run has had the start of the process: the first one.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
static RECORDER: Mutex<Recorder> =
    Mutex::new(Recorder { switches: None, runs: Vec::new(), lines: Vec::new() });

struct Recorder {
    switches: Option<Switches>,
    runs: Vec<Open>,
    /// Of the runs within the first one, which are over.
    lines: Vec<Line>,
}

fn recorder() -> MutexGuard<'static, Recorder> {
    RECORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// One run of a plugin, from here to [`Run::end`].
#[derive(Debug)]
#[must_use]
pub struct Run {
    is_on: bool,
}

impl Run {
    /// Begins the run of a verb, if a trace is wanted. With a run going on already it is one by that.
    pub fn begin(plugin: &str, env: Lookup<'_>) -> Self {
        let is_verb = env("CNI_COMMAND").is_some_and(|verb| !verb.is_empty() && verb != "VERSION");
        if !is_verb {
            return Self { is_on: false };
        }
        if !is_on() {
            let switches = Switches::read(env);
            if !switches.is_on() {
                return Self { is_on: false };
            }
            ASKS.store(switches.asks && switches.log.is_some(), Ordering::Relaxed);
            IS_ON.store(true, Ordering::Relaxed);
            recorder().switches = Some(switches);
        }
        let mut recorder = recorder();
        let outer = recorder.runs.last();
        let given = || Context::parse(env("TRACEPARENT")?.to_str()?);
        let context = match outer {
            Some(outer) => Context { parent: Some(outer.current_span()), ..outer.context.clone() },
            None => given().unwrap_or_default(),
        };
        let is_first = !HAS_BEGUN.swap(true, Ordering::Relaxed);
        recorder.runs.push(Open::new(plugin, env, context, is_first));
        Self { is_on: true }
    }

    /// Ends it. The first one writes its line, behind those of all that were within it.
    pub fn end(self, outcome: Result<(), &Error>) {
        if !self.is_on {
            return;
        }
        let mut recorder = recorder();
        let ended = recorder.runs.pop().map(|run| Line::new(run, outcome));
        recorder.lines.extend(ended);
        if !recorder.runs.is_empty() {
            return;
        }
        IS_ON.store(false, Ordering::Relaxed);
        ASKS.store(false, Ordering::Relaxed);
        let lines = std::mem::take(&mut recorder.lines);
        if let Some((switches, to)) = recorder.switches.as_ref().and_then(|s| Some((s, s.log.as_ref()?))) {
            sink::put(&lines, to, switches);
        }
    }
}

/// A part of a run that takes time, until it is dropped. The time of a phase within it is that one's.
#[derive(Debug)]
#[must_use]
pub struct Phase(Option<usize>);

impl Drop for Phase {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            with_run(|run| run.end(number));
        }
    }
}

/// Begins a phase.
pub fn phase(name: &'static str) -> Phase {
    if is_on() { begin(name.into()) } else { Phase(None) }
}

/// Begins a phase that is about something, such as a delegate.
pub fn phase_of(name: &'static str, what: impl Display) -> Phase {
    if is_on() { begin(format!("{name} {what}").into()) } else { Phase(None) }
}

#[cold]
fn begin(name: Cow<'static, str>) -> Phase {
    let mut number = None;
    with_run(|run| number = Some(run.begin(name)));
    Phase(number)
}

fn with_run(act: impl FnOnce(&mut Open)) {
    if let Some(run) = recorder().runs.last_mut() {
        act(run);
    }
}

/// The network that the run is for.
pub fn network(name: impl Display) {
    if is_on() {
        with_run(|run| run.named.push(("network", name.to_string())));
    }
}

/// What the run was given, for `CNI_RECORD`.
pub fn stdin(env: Lookup<'_>, conf: &[u8]) {
    if is_on() {
        record(env, conf);
    }
}

#[cold]
fn record(env: Lookup<'_>, conf: &[u8]) {
    const NAMES: [&str; 7] = [
        "CNI_COMMAND",
        "CNI_CONTAINERID",
        "CNI_NETNS",
        "CNI_IFNAME",
        "CNI_ARGS",
        "CNI_PATH",
        "CNI_NETNS_OVERRIDE",
    ];
    let recorder = recorder();
    let (Some(switches), Some(run)) = (&recorder.switches, recorder.runs.last()) else { return };
    if switches.record.is_none() {
        return;
    }
    let text = |text: &str| Json::String(text.to_owned());
    let env = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), text(&env(name)?.to_string_lossy()))));
    let members = vec![
        ("time".to_owned(), Json::String(clock::rfc3339(run.time))),
        ("plugin".to_owned(), text(&run.plugin)),
        ("env".to_owned(), Json::Object(env.collect())),
        ("stdin".to_owned(), Json::String(String::from_utf8_lossy(conf).into_owned())),
    ];
    sink::record(&(Json::Object(members).compact() + "\n"), switches);
}

/// Whether it is wanted what was asked of the kernel.
pub fn asks() -> bool {
    ASKS.load(Ordering::Relaxed)
}

/// Whether the thread is in another network namespace than the process's first one.
pub fn is_elsewhere() -> bool {
    let identity = |path: &str| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    identity("/proc/thread-self/ns/net") != identity("/proc/self/ns/net")
}

/// What was asked of the kernel, or of a tool.
#[derive(Debug)]
pub struct Asked {
    /// Who was asked: `route`, `nftables`, `conntrack`, `sysctl`, or the name of an executable.
    pub whom: &'static str,
    /// What for; completes "cannot …".
    pub doing: String,
    /// What was said: the message in hexadecimal digits, or the text.
    pub said: String,
    /// What came back.
    pub answer: String,
    /// The first object that came, in hexadecimal digits.
    pub object: String,
    /// Whether that was in the container's namespace.
    pub is_inside: bool,
}

/// Notes what was asked.
pub fn asked(make: impl FnOnce() -> Asked) {
    if asks() {
        note(make());
    }
}

#[cold]
fn note(asked: Asked) {
    let Asked { whom, doing, said, answer, object, is_inside } = asked;
    let size = said.len() + doing.len() + answer.len() + object.len();
    let texts = [("whom", whom.to_owned()), ("doing", doing), ("said", said), ("answer", answer)];
    let mut members: Vec<_> =
        texts.into_iter().map(|(name, text)| (name.to_owned(), Json::String(text))).collect();
    if !object.is_empty() {
        members.push(("object".to_owned(), Json::String(object)));
    }
    if is_inside {
        members.push(("inside".to_owned(), Json::Bool(true)));
    }
    with_run(|run| run.ask(members, size));
}

/// The `TRACEPARENT` for what this run starts; `None` when nothing is recorded: what came is then handed on as it is.
pub fn traceparent() -> Option<String> {
    if !is_on() {
        return None;
    }
    recorder().runs.last().map(|run| run.context.traceparent(run.current_span()))
}
