//! What came out: a table, JSON and a picture.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::options::Suite;
use crate::samples::{Samples, quantile};
use crate::svg;

/// The samples of one case and verb, by suite in the order of the command line.
pub(crate) struct Row {
    pub(crate) case: String,
    /// What was done. `ADD/s` counts ADDs per second, and `ADD kB` kilobytes; anything else is microseconds.
    pub(crate) verb: String,
    pub(crate) suites: Vec<Samples>,
}

impl Row {
    pub(crate) fn unit(&self) -> &'static str {
        if self.verb.ends_with("/s") {
            "per second"
        } else if self.verb.ends_with(" kB") {
            "kB"
        } else {
            "µs"
        }
    }
}

/// Everything that was measured, in the order it was.
pub(crate) struct Report {
    pub(crate) suites: Vec<Suite>,
    pub(crate) rows: Vec<Row>,
    /// The case that a case is to be no dearer than, of the same verb and suite.
    beside: BTreeMap<String, String>,
    load: String,
}

impl Report {
    pub(crate) fn new(suites: &[Suite]) -> Self {
        Self { suites: suites.to_vec(), rows: Vec::new(), beside: BTreeMap::new(), load: load() }
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

    /// Says what the column `flat` of a case is the ratio to.
    pub(crate) fn compare(&mut self, case: &str, with: &str) {
        if case != with {
            self.beside.insert(case.to_owned(), with.to_owned());
        }
    }

    /// The ratios of medians to the case it is compared with: of times, and of CPU time.
    fn flat(&self, row: &Row, at: usize) -> Option<[f64; 2]> {
        let with = self.beside.get(&row.case)?;
        let with = self.rows.iter().find(|other| other.case == *with && other.verb == row.verb)?;
        let (own, other) = (&row.suites[at], &with.suites[at]);
        Some([own.median() / other.median(), own.median_cpu() / other.median_cpu()])
    }

    /// The table on the terminal: `ratio` is that of the medians to the first suite, `flat` and `flat cpu` those of
    /// times and CPU times to the case it is compared with.
    pub(crate) fn print(&self) {
        println!("load before: {}, after: {}", self.load, load());
        println!(
            "{:<44} {:<9} {:<12} {:>4} {:>10} {:>10} {:>10} {:>9} {:>6} {:>6} {:>8}",
            "case", "verb", "suite", "n", "median", "p95", "max", "cpu", "ratio", "flat", "flat cpu"
        );
        for row in &self.rows {
            for at in 0..self.suites.len() {
                self.print_line(row, at);
            }
        }
    }

    fn print_line(&self, row: &Row, at: usize) {
        let (suite, samples) = (&self.suites[at].name, &row.suites[at]);
        let (failed, why) = &samples.failures;
        if !samples.values.is_empty() {
            let number = |value: f64, digits: usize| match value.is_finite() {
                true => format!("{value:.digits$}"),
                false => String::new(),
            };
            let [flat, flat_cpu] = self.flat(row, at).unwrap_or([f64::NAN; 2]);
            println!(
                "{:<44} {:<9} {:<12} {:>4} {:>10.0} {:>10.0} {:>10.0} {:>9} {:>6} {:>6} {:>8}",
                row.case,
                row.verb,
                suite,
                samples.values.len(),
                samples.median(),
                quantile(&samples.values, 0.95),
                quantile(&samples.values, 1.0),
                number(samples.median_cpu(), 0),
                number(samples.median() / row.suites[0].median(), 2),
                number(flat, 2),
                number(flat_cpu, 2),
            );
        }
        if *failed > 0 {
            let why: String = why.chars().take(110).collect();
            println!("{:<44} {:<9} {suite:<12} {failed} failed: {why}", row.case, row.verb);
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
            self.suites.iter().zip(&row.suites).enumerate().map(move |(at, (suite, samples))| {
                let [flat, flat_cpu] = self.flat(row, at).unwrap_or([f64::NAN; 2]);
                json!({
                    "case": row.case, "verb": row.verb, "suite": suite.name, "unit": row.unit(),
                    "values": samples.values, "median": samples.median(),
                    "p95": quantile(&samples.values, 0.95), "ratio": samples.median() / first,
                    "cpu_us": samples.median_cpu(), "beside": self.beside.get(&row.case), "flat": flat, "flat_cpu": flat_cpu,
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
