//! The text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::fmt::{Display, Write};

/// Metrics as text.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// Begins a metric that can go up and down; its samples follow.
    pub(super) fn gauge(&mut self, name: &str, help: &str) {
        self.begin(name, "gauge", help);
    }

    /// Begins a metric of this type; its samples follow.
    pub(super) fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
    }

    /// One sample of the metric that was begun.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// The samples of a histogram that was begun: `up_to` has those up to each bound that are not up to the one before.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        (bounds, up_to): (&[f64], &[u64]),
        count: u64,
        sum: f64,
    ) {
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        let mut at_most = |bound: &str, value: u64| {
            self.sample(&bucket, &[labels, &[("le", bound)]].concat(), value);
        };
        for (bound, more) in bounds.iter().zip(up_to) {
            so_far += more;
            at_most(&bound.to_string(), so_far);
        }
        at_most("+Inf", count);
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, count);
    }

    /// A metric with one sample.
    pub(super) fn single(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauge(name, help);
        self.sample(name, &[], value);
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_any_text() {
        let mut out = Exposition::default();
        out.gauge("m", "one\nline");
        out.sample("m", &[("a", "x\"y\\z\n"), ("b", "")], 1);
        out.histogram("h", &[("a", "b")], (&[0.5, 1.], &[2, 1]), 4, 7.5);
        let histogram = "h_bucket{a=\"b\",le=\"0.5\"} 2\nh_bucket{a=\"b\",le=\"1\"} 3\nh_bucket{a=\"b\",le=\"+Inf\"} 4\n\
            h_sum{a=\"b\"} 7.5\nh_count{a=\"b\"} 4\n";
        let text = out.text();
        let gauge = text.strip_suffix(histogram).unwrap();
        assert_eq!(gauge, "# HELP m one\\nline\n# TYPE m gauge\nm{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1\n");
    }
}
