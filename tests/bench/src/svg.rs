//! The picture of the distributions: a line per case, verb and suite on one logarithmic axis, a dot per sample, a bar
//! at the median.

use std::fmt::Write;

use crate::report::{Report, Row};

const LEFT: f64 = 330.0;
const WIDTH: f64 = 700.0;
const LINE: f64 = 13.0;
const COLOURS: [&str; 6] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#555555"];

/// The whole file. Only times: anything else is another unit.
pub(crate) fn picture(report: &Report) -> String {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| row.unit() == "µs").collect();
    let values = || rows.iter().flat_map(|row| row.suites.iter().flat_map(|suite| &suite.values).copied());
    let low = values().fold(f64::MAX, f64::min).clamp(1.0, 1e9).log10().floor();
    let high = values().fold(1.0, f64::max).log10().ceil().max(low + 1.0);
    let x = |value: f64| LEFT + (value.max(1.0).log10() - low) / (high - low) * WIDTH;
    let lines: usize = rows.iter().map(|row| present(row).count()).sum();
    let height = 60.0 + lines as f64 * LINE + rows.len() as f64 * 5.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"10\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        LEFT + WIDTH + 30.0
    );
    for decade in low as i32..=high as i32 {
        let (at, micros) = (x(10_f64.powi(decade)), 10_f64.powi(decade));
        let label = if micros < 1e3 { format!("{micros} µs") } else { format!("{} ms", micros / 1e3) };
        let _ = writeln!(out, "<line x1=\"{at}\" x2=\"{at}\" y1=\"30\" y2=\"{height}\" stroke=\"#ddd\"/>");
        let _ = writeln!(out, "<text x=\"{at}\" y=\"24\" text-anchor=\"middle\">{label}</text>");
    }
    let mut y = 42.0;
    for row in rows {
        for (at, name) in present(row).map(|at| (at, &report.suites[at].name)) {
            let colour = COLOURS[at % COLOURS.len()];
            let text = format!("{} {} · {name}", row.case, row.verb);
            let _ = writeln!(out, "<text x=\"8\" y=\"{}\" fill=\"{colour}\">{text}</text>", y + 3.0);
            for value in &row.suites[at].values {
                let x = x(*value);
                let _ = writeln!(
                    out,
                    "<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"2.5\" fill=\"{colour}\" opacity=\"0.35\"/>"
                );
            }
            let middle = x(row.suites[at].median());
            let (top, bottom) = (y - 5.0, y + 5.0);
            let _ = writeln!(
                out,
                "<line x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            );
            y += LINE;
        }
        y += 5.0;
    }
    out + "</svg>\n"
}

/// The suites that have something in this row.
fn present(row: &Row) -> impl Iterator<Item = usize> {
    (0..row.suites.len()).filter(|at| !row.suites[*at].values.is_empty())
}
