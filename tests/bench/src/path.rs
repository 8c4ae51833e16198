//! The packets' own path: what a new connection and a round trip cost through the rules that plugins make, with few and
//! with many of them. The connection that is measured is in the middle of those that there are.

mod multiply;
mod rules;
mod site;
mod traffic;

use std::time::Instant;

use crate::call::Cost;
use crate::options::{Options, Suite};
use crate::report::Report;
use site::Way;

/// What is measured, and of how many others it is one.
const CASES: [(&str, &str, &str, [usize; 3]); 3] = [
    ("host port", "portmap", "mappings", [1, 1000, 10_000]),
    ("masquerade", "masquerade", "pods", [1, 250, 1000]),
    ("firewall", "firewall", "pods", [1, 250, 1000]),
];
/// Connections, and round trips, of a sample.
const EACH: usize = 400;

/// The way through one suite's rules.
struct Lane<'a> {
    case: String,
    suite: &'a Suite,
    way: Way,
}

pub(crate) fn measure(options: &Options, report: &mut Report) {
    for (what, plugin, of, points) in CASES {
        for backend in ["iptables", "nftables"] {
            let mut lanes = Vec::new();
            let points = options.points(&points);
            let case = |point: usize| format!("{what} {backend}, {point} {of}");
            for &point in &points {
                report.compare(&case(point), &case(points[0]));
                for suite in options.plugins() {
                    match rules::way(plugin, backend, point, suite) {
                        Ok(way) => lanes.push(Lane { case: case(point), suite, way }),
                        Err(error) => report.of(&case(point), "connect", &suite.name).fail(&error),
                    }
                }
            }
            for turn in 0..options.iterations(15) {
                for at in 0..lanes.len() {
                    sample(&lanes[(at + turn) % lanes.len()], options.size(EACH), report);
                }
            }
        }
    }
}

fn sample(lane: &Lane, count: usize, report: &mut Report) {
    let Lane { case, suite, way } = lane;
    let connects = per_one(count, || way.from.enter(|| traffic::connect(way.to, count)));
    report.of(case, "connect", &suite.name).push_one(&connects);
    let trips = per_one(count, || way.from.enter(|| traffic::round_trips(way.to, count)));
    report.of(case, "round trip", &suite.name).push_one(&trips);
}

/// What one of so many cost, both ends and the kernel between them.
fn per_one(count: usize, act: impl FnOnce() -> std::io::Result<()>) -> Cost {
    let (start, cpu) = (Instant::now(), traffic::cpu());
    let outcome = act();
    let each = |all: f64| all / count as f64;
    Cost {
        wall: each(start.elapsed().as_secs_f64() * 1e6),
        cpu: each(traffic::cpu() - cpu),
        succeeded: outcome.is_ok(),
        said: outcome.err().map(|e| e.to_string().into_bytes()).unwrap_or_default(),
        ..Cost::default()
    }
}
