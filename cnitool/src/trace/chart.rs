//! A waterfall of one operation: a row for each run and for each of its phases that takes long enough to be seen.

use std::fmt::Write;

use super::run::Run;
use super::show::milliseconds;
use crate::svg::escaped;

const WIDTH: u64 = 1000;
/// Of that, for the names.
const NAMES: u64 = 300;
/// Behind the bars, for what they took.
const BEHIND: u64 = 80;
const ROW: u64 = 20;
const TOP: u64 = 56;
/// A phase is drawn when it is one part in so many of all.
const SEEN: u64 = 400;

struct Row {
    depth: u64,
    name: String,
    at: u64,
    took: u64,
    colour: &'static str,
}

/// The drawing. The runs are in the order of their beginnings; there is one at least.
pub(super) fn svg(runs: &[Run]) -> String {
    let began = runs.iter().map(Run::began).min().unwrap_or_default();
    let end = runs.iter().map(|run| run.began() + run.took_ns).max().unwrap_or_default();
    let span = (end - began).max(1);
    let mut rows = Vec::new();
    for run in runs.iter().filter(|run| parent(runs, run).is_none()) {
        add(&mut rows, runs, run, 0, began, span / SEEN);
    }
    let height = TOP + ROW * rows.len() as u64 + 12;
    let first = &runs[0];
    let title = format!(
        "{} of {} in {} ({}): {} ms",
        first.verb,
        first.ifname,
        first.container_id,
        first.network,
        milliseconds(span)
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{}</text>\n",
        escaped(&title)
    );
    let bars = WIDTH - NAMES - BEHIND;
    for tick in 0..=5 {
        let x = NAMES + bars * tick / 5;
        let _ = write!(
            svg,
            "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{height}\" stroke=\"#ddd\"/>\n\
             <text x=\"{x}\" y=\"{}\" fill=\"#555\" text-anchor=\"middle\" font-size=\"11\">{}</text>\n",
            TOP - 8,
            TOP - 12,
            if tick == 5 { format!("{} ms", milliseconds(span)) } else { milliseconds(span * tick / 5) }
        );
    }
    for (number, row) in rows.iter().enumerate() {
        let y = TOP + ROW * number as u64;
        let x = NAMES + bars * row.at.min(span) / span;
        let width = (bars * row.took / span).max(1);
        let (name_x, weight) = (8 + 14 * row.depth, if row.colour == RUN { "bold" } else { "normal" });
        let _ = write!(
            svg,
            "<text x=\"{name_x}\" y=\"{}\" font-weight=\"{weight}\">{}</text>\n\
             <rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"{}\" rx=\"2\"/>\n\
             <text x=\"{}\" y=\"{}\" fill=\"#333\" font-size=\"11\">{}</text>\n",
            y + 14,
            escaped(&cut(&row.name, (NAMES - name_x) / 7)),
            y + 4,
            ROW - 7,
            row.colour,
            x + width + 4,
            y + 14,
            milliseconds(row.took)
        );
    }
    svg + "</svg>\n"
}

const RUN: &str = "#334e68";

fn colour(phase: &str) -> &'static str {
    match phase.split(' ').next().unwrap_or_default() {
        "start" | "configuration" | "answer" => "#9fb3c8",
        "netlink" | "sysctl" | "namespace" => "#2f9e6e",
        "packet" => "#d9822b",
        "delegate" => "#627d98",
        "wait" | "lock" => "#c23030",
        _ => "#bcccdc",
    }
}

/// The run and phase that asked for this run: the number of the phase, when it is one.
fn parent<'r>(runs: &'r [Run], run: &Run) -> Option<(&'r Run, usize)> {
    runs.iter().find_map(|outer| {
        let number = outer.phases.iter().position(|phase| phase.span_id == run.parent_span_id)?;
        (outer.span_id != run.span_id).then_some((outer, number))
    })
}

fn add(rows: &mut Vec<Row>, runs: &[Run], run: &Run, depth: u64, began: u64, seen: u64) {
    let at = run.began().saturating_sub(began);
    let name = format!("{} {}", run.plugin, run.verb);
    rows.push(Row { depth, name, at, took: run.took_ns, colour: RUN });
    let mut depths = vec![0; run.phases.len()];
    for (number, phase) in run.phases.iter().enumerate() {
        // Around the parts is the plugin itself, whose row is there already.
        let outer = run.around(number).map_or(depth, |outer| depths[outer]);
        depths[number] = if phase.name == "plugin" { outer } else { outer + 1 };
        if phase.took_ns >= seen && phase.name != "plugin" {
            let (name, colour) = (phase.name.clone(), colour(&phase.name));
            rows.push(Row { depth: depths[number], name, at: at + phase.at_ns, took: phase.took_ns, colour });
        }
        for inner in runs {
            let is_asked_here =
                parent(runs, inner).is_some_and(|(outer, at)| outer.span_id == run.span_id && at == number);
            // A chain is not deeper; a file may say anything.
            if is_asked_here && depth < 16 {
                add(rows, runs, inner, depths[number] + 1, began, seen);
            }
        }
    }
}

fn cut(text: &str, most: u64) -> String {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most).chain(['…']).collect()
    }
}
