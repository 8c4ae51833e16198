//! How long the plugins took and how often they failed, out of the trace's lines where it is switched on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use super::exposition::Exposition;
use crate::trace::{Run, log_file};

/// Bytes that are read at most. A file that is longer counts from its last whole multiple of that on: to Prometheus as
/// if the counters had been reset there, as they are when the file is put aside.
const MOST: u64 = 16 << 20;
/// Upper bounds in seconds.
const BOUNDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1., 2.5, 5., 10.];
/// The verbs of the protocol; a line with another word is none of a plugin's.
const VERBS: [&str; 6] = ["ADD", "CHECK", "DEL", "GC", "STATUS", "VERSION"];

/// The runs of one plugin with one verb.
#[derive(Debug, Default, PartialEq)]
struct Runs {
    /// Up to each of the bounds, and not up to the one before.
    up_to: [u64; BOUNDS.len()],
    count: u64,
    /// Seconds.
    sum: f64,
    /// By their error's code.
    failures: BTreeMap<u32, u64>,
}

type ByVerb = BTreeMap<(String, String), Runs>;

/// Without a trace in a file there are no samples.
pub(super) fn runs(out: &mut Exposition) {
    let found = log_file().and_then(|file| counted(&file).ok()).unwrap_or_default();
    let name = "cni_run_seconds";
    out.begin(name, "histogram", "Runs of plugins in the trace's file, by how long they took.");
    for ((plugin, verb), runs) in &found {
        out.histogram(
            name,
            &[("plugin", plugin), ("verb", verb)],
            (&BOUNDS, &runs.up_to),
            runs.count,
            runs.sum,
        );
    }
    let name = "cni_run_failures_total";
    out.begin(name, "counter", "Runs of plugins in the trace's file that ended with an error, by its code.");
    for ((plugin, verb), runs) in &found {
        for (code, count) in &runs.failures {
            out.sample(name, &[("plugin", plugin), ("verb", verb), ("code", &code.to_string())], count);
        }
    }
}

fn counted(path: &Path) -> io::Result<ByVerb> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let begin = length / MOST * MOST;
    file.seek(SeekFrom::Start(begin))?;
    let mut lines = BufReader::new(io::Read::take(file, MOST)).split(b'\n');
    if begin > 0 {
        // The end of one that began before.
        lines.next().transpose()?;
    }
    let mut found = ByVerb::new();
    for line in lines {
        let Some(run) = Run::read(&String::from_utf8_lossy(&line?)) else { continue };
        if VERBS.contains(&run.verb.as_str()) {
            found.entry((run.plugin.clone(), run.verb.clone())).or_default().count(&run);
        }
    }
    Ok(found)
}

impl Runs {
    #[allow(clippy::cast_precision_loss, reason = "a run of 2^52 ns would take 52 days")]
    fn count(&mut self, run: &Run) {
        let seconds = run.took_ns as f64 / 1e9;
        if let Some(at) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.up_to[at] += 1;
        }
        self.count += 1;
        self.sum += seconds;
        if run.failed() {
            *self.failures.entry(run.code).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(verb: &str, took_ns: u64, code: u32) -> String {
        let outcome = if code == 0 { "ok" } else { "error" };
        format!(
            r#"{{"plugin":"ptp","verb":"{verb}","took_ns":{took_ns},"outcome":"{outcome}","code":{code}}}"#
        )
    }

    #[test]
    fn a_file_is_counted_from_its_last_multiple_of_the_bound_on() {
        let path = std::env::temp_dir().join(format!("cnitool-runs-{}", std::process::id()));
        let of = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            counted(&path).unwrap()
        };
        let all =
            [line("ADD", 1_500_000, 0), "nonsense".into(), line("ADD", 20_000_000_000, 11), line("X", 1, 0)];
        let found = of(all.join("\n").as_bytes());
        let runs = &found[&("ptp".to_owned(), "ADD".to_owned())];
        assert_eq!((found.len(), runs.count, runs.up_to[1], &runs.failures), (1, 2, 1, &[(11, 1)].into()));
        let mut long = Vec::new();
        while long.len() < usize::try_from(MOST).unwrap() + 10 {
            writeln!(long, "{} ", line("ADD", 5, 0)).unwrap();
        }
        writeln!(long, "{}", line("DEL", 5, 0)).unwrap();
        let found = of(&long);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(found[&("ptp".to_owned(), "DEL".to_owned())].count, 1);
        assert!(found.values().map(|runs| runs.count).sum::<u64>() <= 3, "{found:?}");
    }
}
