//! How many ADDs and DELs are done per second, 1 to 16 at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::chain::Chain;
use crate::options::Options;
use crate::place::Place;
use crate::report::Report;
use crate::scenario::Scenario;

/// Pods of one round.
const PODS: usize = 48;

pub(crate) fn measure(options: &Options, report: &mut Report) {
    let scenario = Scenario::named("bridge-gw");
    let count = if options.is_short { 4 } else { PODS };
    for suite in options.of(&scenario.name) {
        let host = Place::host(&format!("parallel-{}", suite.name));
        let pods: Vec<_> = (0..count).map(|n| Place::new(&format!("parallel-{}-{n}", suite.name))).collect();
        let chain = Chain::new(&scenario, suite);
        let results: Vec<_> = (0..count).map(|_| Mutex::new(Value::Null)).collect();
        for at_once in options.points(&[1, 2, 4, 8, 16]) {
            for _ in 0..options.iterations(3) {
                for verb in ["ADD", "DEL"] {
                    let failed = Mutex::new(None);
                    let start = Instant::now();
                    at_a_time(at_once, count, &host, &|n| {
                        let mut result = results[n].lock().unwrap();
                        let done = match verb {
                            "ADD" => chain.add(n, &pods[n]),
                            _ => chain.del(n, &pods[n], &result),
                        };
                        *result = done.result;
                        if let Some(error) = done.error {
                            *failed.lock().unwrap() = Some(error);
                        }
                    });
                    let per_second = count as f64 / start.elapsed().as_secs_f64();
                    let case = format!("bridge-gw, {at_once} at a time");
                    let samples = report.of(&case, &format!("{verb}/s"), &suite.name);
                    match failed.into_inner().unwrap() {
                        Some(error) => samples.fail(&error),
                        None => samples.values.push(per_second),
                    }
                }
            }
        }
    }
}

/// Does `act` for each number below `count` on the host, by so many threads.
pub(crate) fn at_a_time(threads: usize, count: usize, host: &Place, act: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                host.go();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        break;
                    }
                    act(n);
                }
            });
        }
    });
}
