//! How long each verb of a chain takes: the suites in turn, ADD and DEL of one pod beside another that stays.

use std::thread::sleep;
use std::time::Duration;

use crate::chain::Chain;
use crate::options::{Options, Suite};
use crate::place::Place;
use crate::report::Report;
use crate::scenario::{self, Scenario};

/// Between two calls, so that a suite does not pay for what the kernel still does for the one before.
const GAP: Duration = Duration::from_millis(30);
/// The pod that stays has a number that no other has.
const STAYING: usize = 40_000;

struct Lane<'a> {
    chain: Chain<'a>,
    host: Place,
    pod: Place,
    _staying: Place,
}

pub(crate) fn measure(options: &Options, report: &mut Report) {
    for name in scenario::ALL {
        let scenario = Scenario::named(name);
        let lanes: Vec<_> = options.of(name).filter_map(|suite| lane(&scenario, suite, report)).collect();
        for turn in 0..options.iterations(25) {
            for at in 0..lanes.len() {
                let lane = &lanes[(at + turn) % lanes.len()];
                lane.host.go();
                let added = lane.chain.add(turn, &lane.pod);
                sleep(GAP);
                let deleted = lane.chain.del(turn, &lane.pod, &added.result);
                sleep(GAP);
                let suite = &lane.chain.suite.name;
                report.of(name, "ADD", suite).push(&added);
                report.of(name, "DEL", suite).push(&deleted);
            }
        }
    }
}

/// `None` for a suite that cannot do it, such as one without nftables; why is in the report.
fn lane<'a>(scenario: &'a Scenario, suite: &'a Suite, report: &mut Report) -> Option<Lane<'a>> {
    let place = |kind: &str| format!("{kind}-{}-{}", scenario.name, suite.name);
    let host = Place::host(&place("host"));
    host.go();
    scenario.prepare();
    let (chain, staying) = (Chain::new(scenario, suite), Place::new(&place("staying")));
    let first = chain.add(STAYING, &staying);
    if let Some(error) = &first.error {
        report.of(&scenario.name, "ADD", &suite.name).fail(error);
        return None;
    }
    Some(Lane { chain, host, pod: Place::new(&place("pod")), _staying: staying })
}
