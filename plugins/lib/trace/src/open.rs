//! A run that has not come to its end.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use cni_types::Json;

use crate::context::{Context, random};
use crate::{Lookup, clock};

/// So many phases have a place of their own; what comes then is in [`MORE`], with what is between.
const PHASES_MAX: usize = 256;
const MORE: &str = "more";
/// What a run has about.
const PHASES_USUAL: usize = 48;
/// A phase that takes less has found nothing to do; it is left out.
const NOTHING: Duration = Duration::from_micros(1);
/// So many bytes of what was asked are kept.
const ASKED_MAX: usize = 512 << 10;

/// What a run was called with that a line names: its member, and the variable.
const NAMED: [(&str, &str); 4] = [
    ("verb", "CNI_COMMAND"),
    ("container_id", "CNI_CONTAINERID"),
    ("ifname", "CNI_IFNAME"),
    ("netns", "CNI_NETNS"),
];

pub(crate) struct Open {
    pub(crate) plugin: String,
    /// Members of the line.
    pub(crate) named: Vec<(&'static str, String)>,
    pub(crate) time: SystemTime,
    began: Instant,
    pub(crate) phases: Vec<Timed>,
    /// Those that are not over, the inmost last, each with the thread that is in it.
    running: Vec<(usize, Thread)>,
    /// The run's own thread, which the others work for.
    thread: Thread,
    pub(crate) asked: Vec<Json>,
    asked_size: usize,
    pub(crate) context: Context,
    pub(crate) span: u64,
}

/// A thread, by a place that no other one has while it lives: the standard library's number of it costs an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Thread(usize);

impl Thread {
    fn current() -> Self {
        thread_local!(static PLACE: u8 = const { 0 });
        PLACE.with(|place| Self(std::ptr::from_ref(place).addr()))
    }
}

/// A phase; times are since the run's beginning.
pub(crate) struct Timed {
    pub(crate) name: Cow<'static, str>,
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    /// What other phases took in it.
    inside: Duration,
}

impl Timed {
    /// What it took without the phases in it.
    pub(crate) fn alone(&self) -> Duration {
        self.took.saturating_sub(self.inside)
    }
}

impl Open {
    /// The first run of a process began when that did.
    pub(crate) fn new(plugin: &str, env: Lookup<'_>, context: Context, is_first: bool) -> Self {
        let start = if is_first { clock::since_start() } else { Duration::ZERO };
        let now = Instant::now();
        let text = |name: &str| env(name).map(|value| value.to_string_lossy().into_owned());
        let named = NAMED.into_iter().filter_map(|(member, name)| Some((member, text(name)?)));
        let mut open = Self {
            plugin: plugin.to_owned(),
            named: named.filter(|(_, value)| !value.is_empty()).collect(),
            time: SystemTime::now() - start,
            began: now.checked_sub(start).unwrap_or(now),
            phases: Vec::with_capacity(PHASES_USUAL),
            running: Vec::new(),
            thread: Thread::current(),
            asked: Vec::new(),
            asked_size: 0,
            context,
            span: random(),
        };
        if is_first {
            open.phases.push(Timed {
                name: "start".into(),
                at: Duration::ZERO,
                took: start,
                inside: Duration::ZERO,
            });
        }
        open
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Begins a phase: its number.
    pub(crate) fn begin(&mut self, name: Cow<'static, str>) -> usize {
        let at = self.elapsed();
        let is_full = self.phases.len() >= PHASES_MAX;
        let rest = is_full.then(|| self.phases.iter().rposition(|phase| phase.name == MORE)).flatten();
        let number = rest.unwrap_or(self.phases.len());
        if rest.is_none() {
            let name = if is_full { MORE.into() } else { name };
            self.phases.push(Timed { name, at, took: Duration::ZERO, inside: Duration::ZERO });
        }
        self.running.push((number, Thread::current()));
        number
    }

    /// Ends a phase and what is still running in it.
    pub(crate) fn end(&mut self, number: usize) {
        let now = self.elapsed();
        let here = Thread::current();
        let Some(place) = self.running.iter().rposition(|running| *running == (number, here)) else { return };
        let mut at = 0;
        self.running.retain(|(_, thread)| {
            at += 1;
            at <= place || *thread != here
        });
        let Some(phase) = self.phases.get_mut(number) else { return };
        let before = phase.took;
        phase.took = now.saturating_sub(phase.at);
        let added = phase.took.saturating_sub(before);
        if phase.took < NOTHING && number + 1 == self.phases.len() {
            self.phases.pop();
        }
        if let Some(outer) = self.current().and_then(|outer| self.phases.get_mut(outer)) {
            outer.inside += added;
        }
    }

    /// The span of a phase.
    pub(crate) fn span_of(&self, number: usize) -> u64 {
        self.span.wrapping_add(number as u64 + 1).max(1)
    }

    /// The span of what is being done.
    pub(crate) fn current_span(&self) -> u64 {
        self.current().map_or(self.span, |number| self.span_of(number))
    }

    /// The phase that this thread is in, or, before it is in one, the run's own thread, which waits for it.
    fn current(&self) -> Option<usize> {
        let inmost = |wanted: Thread| self.running.iter().rfind(|(_, thread)| *thread == wanted);
        inmost(Thread::current()).or_else(|| inmost(self.thread)).map(|(number, _)| *number)
    }

    pub(crate) fn ask(&mut self, members: Vec<(String, Json)>, size: usize) {
        self.asked_size += size;
        if self.asked_size <= ASKED_MAX {
            self.asked.push(Json::Object(members));
        }
    }
}
