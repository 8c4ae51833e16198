//! A line as a run.

use cni_types::Json;
use serde::Deserialize;

/// One run of a plugin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    /// RFC 3339.
    pub(crate) time: String,
    pub(crate) plugin: String,
    pub(crate) verb: String,
    pub(crate) network: String,
    pub(crate) container_id: String,
    pub(crate) ifname: String,
    pub(crate) netns: String,
    pub(crate) outcome: String,
    pub(crate) code: u32,
    pub(crate) msg: String,
    pub(crate) details: String,
    pub(crate) took_ns: u64,
    pub(crate) phases: Vec<Phase>,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_span_id: String,
    pub(crate) version: String,
    pub(crate) asked: Vec<Asked>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) at_ns: u64,
    pub(crate) took_ns: u64,
    pub(crate) alone_ns: u64,
    pub(crate) span_id: String,
}

/// What was asked of the kernel or a tool.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) whom: String,
    pub(crate) doing: String,
    pub(crate) said: String,
    pub(crate) answer: String,
    pub(crate) object: String,
    pub(crate) inside: bool,
}

impl Run {
    /// `None` for a line that is none: one that was cut off by a full disk, or somebody else's.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let run: Self = Json::parse(line.as_bytes()).ok()?.decode().ok()?;
        (!run.plugin.is_empty() && run.took_ns > 0).then_some(run)
    }

    /// When it began, in nanoseconds since 1970.
    pub(crate) fn began(&self) -> u64 {
        nanoseconds(&self.time).unwrap_or_default()
    }

    pub(crate) fn failed(&self) -> bool {
        self.outcome == "error"
    }

    /// The innermost of the phases that `number` is within.
    pub(crate) fn around(&self, number: usize) -> Option<usize> {
        let inner = &self.phases[number];
        let end = inner.at_ns + inner.took_ns;
        (0..number).rev().find(|at| self.phases[*at].at_ns + self.phases[*at].took_ns >= end)
    }
}

/// Of `2026-11-28T06:59:59.000000001Z`.
fn nanoseconds(time: &str) -> Option<u64> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = clock.split_once('.')?;
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let second = clock.next()?? * 3600 + clock.next()?? * 60 + clock.next()??;
    // Years begin in March here, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let since = days.checked_sub(719_468)? * 86_400 + second;
    since.checked_mul(1_000_000_000)?.checked_add(format!("{fraction:0<9}").parse().ok()?)
}

/// The runs of the last operation on an attachment: those of its trace; where the runtime gave none, those of the same
/// verb and attachment within a minute.
pub(super) fn last_operation(runs: &[Run]) -> Vec<Run> {
    const TOGETHER: u64 = 60_000_000_000;
    let Some(last) = runs.last() else { return Vec::new() };
    let key =
        |run: &Run| (run.verb.clone(), run.network.clone(), run.container_id.clone(), run.ifname.clone());
    let is_of_it = |run: &&Run| {
        run.trace_id == last.trace_id
            || key(run) == key(last) && run.began().abs_diff(last.began()) < TOGETHER
    };
    let mut found: Vec<_> = runs.iter().filter(is_of_it).cloned().collect();
    found.sort_by_key(|run| (run.began(), std::cmp::Reverse(run.took_ns)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, time) in [
            ("1970-01-01T00:00:00.000000001Z", Some(1)),
            ("2000-02-29T00:00:00.000000000Z", Some(951_782_400_000_000_000)),
            ("2026-11-28T06:59:59.5Z", Some(1_795_849_199_500_000_000)),
            ("yesterday", None),
            ("0000-00-00T00:00:00.0Z", None),
        ] {
            assert_eq!(nanoseconds(text), time, "{text}");
        }
    }

    #[test]
    fn what_is_no_run_is_none() {
        for line in ["", "{}", "[1]", "{\"plugin\":\"bridge\",\"took_ns\":", "{\"plugin\":1}", "cannot write"]
        {
            assert!(Run::read(line).is_none(), "{line}");
        }
        let run = Run::read(
            r#"{"plugin":"x","took_ns":5,"phases":[{"name":"a","at_ns":0,"took_ns":5},
            {"name":"b","at_ns":1,"took_ns":2},{"name":"c","at_ns":2,"took_ns":1},{"name":"d","at_ns":4,"took_ns":1}]}"#,
        );
        let run = run.unwrap();
        let around: Vec<_> = (0..4).map(|number| run.around(number)).collect();
        assert_eq!(around, [None, Some(0), Some(1), Some(0)]);
    }
}
