//! The first pod on a node that has not run a plugin for long: nothing of the executables is in memory.

use std::fs::{self, File};
use std::os::fd::AsRawFd;

use crate::chain::Chain;
use crate::options::{Options, Suite};
use crate::place::Place;
use crate::report::Report;
use crate::scenario::Scenario;

pub(crate) fn measure(options: &Options, report: &mut Report) {
    for name in ["chain-iptables", "chain-nftables"] {
        let scenario = Scenario::named(name);
        let suites: Vec<_> = options.suites.iter().filter(|suite| !suite.is_floor()).collect();
        for turn in 0..options.iterations(7) {
            for at in 0..suites.len() {
                let suite = suites[(at + turn) % suites.len()];
                let (host, pod) = (Place::host("cold-host"), Place::new("cold-pod"));
                host.go();
                let chain = Chain::new(&scenario, suite);
                forget(suite, options.is_short);
                let added = chain.add(turn, &pod);
                let read: f64 = added.each.iter().map(|(_, cost)| cost.read).sum();
                let case = format!("{name}, cold");
                report.of(&case, "ADD", &suite.name).push(&added);
                if added.error.is_none() {
                    report.of(&case, "ADD kB", &suite.name).values.push(read);
                }
                chain.del(turn, &pod, &added.result);
            }
        }
    }
}

/// Drops the page cache; where that is not allowed, or only to see that it works, what it has of the suite's
/// executables.
fn forget(suite: &Suite, is_short: bool) {
    nix::unistd::sync();
    if !is_short && fs::write("/proc/sys/vm/drop_caches", "1").is_ok() {
        return;
    }
    for entry in fs::read_dir(&suite.directory).unwrap() {
        let Ok(file) = File::open(entry.unwrap().path()) else { continue };
        // SAFETY: the descriptor is open; the call touches no memory of ours.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
}
