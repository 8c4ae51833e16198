//! A run as text.

use super::run::Run;
use super::words;

/// How much of a run a phase has to be to be named, as one part in so many.
const WORTH: u64 = 50;

/// The run in one line, the slowest phase marked, what failed in one more; with what was asked, a line each.
pub(crate) fn text(run: &Run, with_words: bool) -> String {
    let mut text = line(run) + "\n";
    if run.failed() {
        text += &format!("    error {}: {}", run.code, run.msg);
        text += &if run.details.is_empty() { "\n".to_owned() } else { format!("; {}\n", run.details) };
    }
    if with_words {
        text += &words::of(run);
    }
    text
}

/// The run in one line.
fn line(run: &Run) -> String {
    let mut phases: Vec<(&str, u64)> = Vec::new();
    for phase in &run.phases {
        match phases.iter_mut().find(|(name, _)| *name == phase.name) {
            Some((_, sum)) => *sum += phase.alone_ns,
            None => phases.push((&phase.name, phase.alone_ns)),
        }
    }
    let slowest = phases.iter().map(|(_, took)| *took).max();
    phases.retain(|(_, took)| took * WORTH >= run.took_ns);
    let named = phases.iter().map(|(name, took)| {
        let mark = if Some(*took) == slowest { "*" } else { "" };
        format!("{mark}{name} {}{mark}", milliseconds(*took))
    });
    let place: Vec<&str> = [run.network.as_str(), &run.container_id, &run.ifname]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    format!(
        "{} {:<11} {:<6} {}  {}  {} ms: {}",
        run.time.get(..23).unwrap_or(&run.time),
        run.plugin,
        run.verb,
        place.join("/"),
        if run.failed() { format!("error {}", run.code) } else { run.outcome.clone() },
        milliseconds(run.took_ns),
        named.collect::<Vec<_>>().join(", ")
    )
}

/// With one digit where that says something.
pub(super) fn milliseconds(nanoseconds: u64) -> String {
    let tenths = (nanoseconds + 50_000) / 100_000;
    if tenths >= 1000 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}
