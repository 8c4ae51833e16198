//! What a pod costs on a node that has many: each suite fills a host of its own, and ADD and DEL of one more are
//! measured.

use crate::chain::Chain;
use crate::options::Options;
use crate::parallel::at_a_time;
use crate::place::Place;
use crate::report::Report;
use crate::scenario::Scenario;

const SCENARIOS: [&str; 4] = ["bridge-gw", "ptp", "bridge-portmap-nftables", "bridge-portmap-iptables"];
/// The one more has a number that no other has.
const ONE_MORE: usize = 45_000;

pub(crate) fn measure(options: &Options, report: &mut Report) {
    for name in SCENARIOS {
        let scenario = Scenario::named(name);
        let case = |point: usize| format!("{name}, pod {point}");
        let suites: Vec<_> = options.of(name).collect();
        let hosts: Vec<_> =
            suites.iter().map(|suite| Place::host(&format!("scale-{name}-{}", suite.name))).collect();
        let chains: Vec<_> = suites.iter().map(|suite| Chain::new(&scenario, suite)).collect();
        let mut pods: Vec<Vec<Place>> = suites.iter().map(|_| Vec::new()).collect();
        let points = options.points(&[1, 100, 500, 1000]);
        for &point in &points {
            report.compare(&case(point), &case(points[0]));
            for (at, chain) in chains.iter().enumerate() {
                let there = pods[at].len();
                let place = |n: usize| Place::new(&format!("scale-{name}-{}-{n}", chain.suite.name));
                pods[at].extend((there..point - 1).map(place));
                let wanted = &pods[at][there..];
                at_a_time(3, wanted.len(), &hosts[at], &|n| drop(chain.add(there + n, &wanted[n])));
            }
            for turn in 0..options.iterations(15) {
                for at in 0..chains.len() {
                    let at = (at + turn) % chains.len();
                    let (chain, suite) = (&chains[at], &suites[at].name);
                    let pod = Place::new(&format!("scale-{name}-{suite}-more"));
                    hosts[at].go();
                    let added = chain.add(ONE_MORE + turn, &pod);
                    let deleted = chain.del(ONE_MORE + turn, &pod, &added.result);
                    report.of(&case(point), "ADD", suite).push(&added);
                    report.of(&case(point), "DEL", suite).push(&deleted);
                }
            }
        }
    }
}
