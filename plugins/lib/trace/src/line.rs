//! The line of a run.

use std::time::Duration;

use cni_types::Error;

use crate::clock;
use crate::members::Members;
use crate::open::Open;

/// Bytes of the lines of a usual run and its delegate's.
const USUAL: usize = 8 << 10;

/// A run that has come to its end.
pub(crate) struct Line {
    run: Open,
    took: Duration,
    failure: Option<Error>,
}

impl Line {
    pub(crate) fn new(run: Open, outcome: Result<(), &Error>) -> Self {
        Self { took: run.elapsed(), failure: outcome.err().cloned(), run }
    }

    pub(crate) fn is_failure(&self) -> bool {
        self.failure.is_some()
    }

    fn outcome(&self) -> &'static str {
        if self.is_failure() { "error" } else { "done" }
    }

    /// What the journal can be asked for.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let fields = [
            ("CNI_COMMAND", "verb"),
            ("CNI_NETWORK", "network"),
            ("CNI_CONTAINERID", "container_id"),
            ("CNI_IFNAME", "ifname"),
        ];
        let named = |member: &str| self.run.named.iter().find(|(name, _)| *name == member);
        let named = fields.into_iter().filter_map(|(field, member)| Some((field, named(member)?.1.clone())));
        let (plugin, trace) = (self.run.plugin.clone(), format!("{:032x}", self.run.context.trace_id));
        let last = [("CNI_OUTCOME", self.outcome().to_owned()), ("TRACE_ID", trace)];
        std::iter::once(("CNI_PLUGIN", plugin)).chain(named).chain(last).collect()
    }

    fn write(&self, members: &mut Members<'_>, pid: u32, with_asked: bool) {
        let Self { run, took, failure } = self;
        members.text("time", &clock::rfc3339(run.time));
        members.text("plugin", &run.plugin);
        for (name, value) in &run.named {
            members.text(name, value);
        }
        members.text("outcome", self.outcome());
        if let Some(error) = failure {
            members.number("code", error.code.0.into());
            members.text("msg", &error.msg);
            members.text("details", &error.details);
        }
        members.number("took_ns", nanoseconds(*took));
        members.objects("phases", run.phases.iter().enumerate(), |members, (number, phase)| {
            members.text("name", &phase.name);
            members.number("at_ns", nanoseconds(phase.at));
            members.number("took_ns", nanoseconds(phase.took));
            members.number("alone_ns", nanoseconds(phase.alone()));
            members.id("span_id", &run.span_of(number).to_be_bytes());
        });
        members.id("trace_id", &run.context.trace_id.to_be_bytes());
        members.id("span_id", &run.span.to_be_bytes());
        if let Some(parent) = run.context.parent {
            members.id("parent_span_id", &parent.to_be_bytes());
        }
        members.number("pid", pid.into());
        members.text("version", env!("CARGO_PKG_VERSION"));
        if with_asked && !run.asked.is_empty() {
            members.list("asked", &run.asked);
        }
    }
}

/// The lines as text, each with its newline; what was asked of the kernel is the last member of each, where it is
/// wanted.
pub(crate) fn text(lines: &[Line], with_asked: bool) -> String {
    let mut out = String::with_capacity(USUAL);
    let pid = std::process::id();
    for line in lines {
        let mut members = Members::begin(&mut out);
        line.write(&mut members, pid, with_asked);
        members.end();
        out.push('\n');
    }
    out
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
