//! What came out: a table, JSON and a picture.

use std::path::Path;

use serde_json::{Value, json};

use crate::options::Suite;
use crate::samples::{Samples, quantile};
use crate::svg;

/// The samples of one case and verb, by suite in the order of the command line.
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) verb: String,
    pub(crate) suites: Vec<Samples>,
}

impl Row {
    /// Whether the values count per second, so that more is better; else they are microseconds.
    pub(crate) fn is_rate(&self) -> bool {
        self.verb.ends_with("/s")
    }
}

/// Everything that was measured, in the order it was.
pub(crate) struct Report {
    pub(crate) suites: Vec<Suite>,
    pub(crate) rows: Vec<Row>,
    load: String,
}

impl Report {
    pub(crate) fn new(suites: &[Suite]) -> Self {
        Self { suites: suites.to_vec(), rows: Vec::new(), load: load() }
    }

    /// The samples of this case, verb and suite.
    pub(crate) fn of(&mut self, case: &str, verb: &str, suite: &str) -> &mut Samples {
        let found = self.rows.iter().position(|row| row.case == case && row.verb == verb);
        let at = found.unwrap_or_else(|| {
            let suites = vec![Samples::default(); self.suites.len()];
            self.rows.push(Row { case: case.to_owned(), verb: verb.to_owned(), suites });
            self.rows.len() - 1
        });
        let suite = self.suites.iter().position(|there| there.name == suite).unwrap();
        &mut self.rows[at].suites[suite]
    }

    /// The table on the terminal: the last column is the median's ratio to that of the first suite.
    pub(crate) fn print(&self) {
        println!("load before: {}, after: {}", self.load, load());
        println!(
            "{:<34} {:<6} {:<14} {:>4} {:>10} {:>10} {:>10} {:>9} {:>8} {:>6}",
            "case", "verb", "suite", "n", "median", "p95", "max", "cpu", "kB", "ratio"
        );
        for row in &self.rows {
            for (suite, samples) in self.suites.iter().zip(&row.suites) {
                self.print_line(row, suite, samples);
            }
        }
    }

    fn print_line(&self, row: &Row, suite: &Suite, samples: &Samples) {
        let (failed, why) = &samples.failures;
        if !samples.values.is_empty() {
            println!(
                "{:<34} {:<6} {:<14} {:>4} {:>10.0} {:>10.0} {:>10.0} {:>9.0} {:>8} {:>6.2}",
                row.case,
                row.verb,
                suite.name,
                samples.values.len(),
                samples.median(),
                quantile(&samples.values, 0.95),
                quantile(&samples.values, 1.0),
                quantile(&samples.cpu, 0.5),
                samples.memory,
                samples.median() / row.suites[0].median()
            );
        }
        if *failed > 0 {
            let why: String = why.chars().take(110).collect();
            println!("{:<34} {:<6} {:<14} {failed} failed: {why}", row.case, row.verb, suite.name);
        }
    }

    /// `bench.json` and `bench.svg`.
    pub(crate) fn write(&self, directory: &Path) {
        std::fs::create_dir_all(directory).unwrap();
        let json = serde_json::to_vec_pretty(&self.json()).unwrap();
        std::fs::write(directory.join("bench.json"), json).unwrap();
        std::fs::write(directory.join("bench.svg"), svg::picture(self)).unwrap();
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().flat_map(|row| {
            let first = row.suites[0].median();
            self.suites.iter().zip(&row.suites).map(move |(suite, samples)| {
                json!({
                    "case": row.case, "verb": row.verb, "suite": suite.name,
                    "unit": if row.is_rate() { "per second" } else { "µs" },
                    "values": samples.values, "median": samples.median(),
                    "p95": quantile(&samples.values, 0.95), "ratio": samples.median() / first,
                    "cpu_us": quantile(&samples.cpu, 0.5), "memory_kb": samples.memory,
                    "failed": samples.failures.0, "why": samples.failures.1,
                })
            })
        });
        json!({ "load": [self.load, load()], "rows": rows.collect::<Vec<_>>() })
    }
}

/// The load averages of now.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
