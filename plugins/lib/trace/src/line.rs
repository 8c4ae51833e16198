//! The line of a run.

use std::time::Duration;

use cni_types::{Error, Json};

use crate::clock;
use crate::open::Open;

/// The last member, where there is one: what was asked of the kernel.
const ASKED: &str = "asked";

/// A run that has come to its end.
pub(crate) struct Line(Json);

impl Line {
    pub(crate) fn new(open: Open, outcome: Result<(), &Error>) -> Self {
        let took = open.elapsed();
        let mut members = vec![
            ("time".to_owned(), text(clock::rfc3339(open.time))),
            ("plugin".to_owned(), text(&open.plugin)),
        ];
        members.extend(open.named.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
        let outcome = match outcome {
            Ok(()) => vec![("outcome", text("done"))],
            Err(error) => vec![
                ("outcome", text("error")),
                ("code", Json::Number(error.code.0.into())),
                ("msg", text(&error.msg)),
                ("details", text(&error.details)),
            ],
        };
        members.extend(outcome.into_iter().map(|(name, value)| (name.to_owned(), value)));
        members.push(("took_ns".to_owned(), nanoseconds(took)));
        let phases = open.phases.iter().enumerate().map(|(number, phase)| {
            Json::Object(vec![
                ("name".to_owned(), text(&phase.name)),
                ("at_ns".to_owned(), nanoseconds(phase.at)),
                ("took_ns".to_owned(), nanoseconds(phase.took)),
                ("alone_ns".to_owned(), nanoseconds(phase.alone())),
                ("span_id".to_owned(), text(format!("{:016x}", open.span_of(number)))),
            ])
        });
        members.push(("phases".to_owned(), Json::Array(phases.collect())));
        members.push(("trace_id".to_owned(), text(format!("{:032x}", open.context.trace_id))));
        members.push(("span_id".to_owned(), text(format!("{:016x}", open.span))));
        if let Some(parent) = open.context.parent {
            members.push(("parent_span_id".to_owned(), text(format!("{parent:016x}"))));
        }
        members.push(("pid".to_owned(), Json::Number(std::process::id().into())));
        members.push(("version".to_owned(), text(env!("CARGO_PKG_VERSION"))));
        if !open.asked.is_empty() {
            members.push((ASKED.to_owned(), Json::Array(open.asked)));
        }
        Self(Json::Object(members))
    }

    /// The line with its newline.
    pub(crate) fn text(&self) -> String {
        self.0.compact() + "\n"
    }

    /// The same without what was asked of the kernel.
    pub(crate) fn without_asked(mut self) -> Self {
        if let Json::Object(members) = &mut self.0 {
            members.retain(|(name, _)| name != ASKED);
        }
        self
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.0.get_str(name)
    }

    pub(crate) fn is_failure(&self) -> bool {
        self.member("outcome") == Some("error")
    }

    /// What the journal can be asked for.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("CNI_PLUGIN", "plugin"),
            ("CNI_COMMAND", "verb"),
            ("CNI_NETWORK", "network"),
            ("CNI_CONTAINERID", "container_id"),
            ("CNI_IFNAME", "ifname"),
            ("CNI_OUTCOME", "outcome"),
            ("TRACE_ID", "trace_id"),
        ];
        fields.into_iter().filter_map(|(field, member)| Some((field, self.member(member)?)))
    }
}

fn text(text: impl Into<String>) -> Json {
    Json::String(text.into())
}

fn nanoseconds(time: Duration) -> Json {
    Json::Number(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).into())
}
