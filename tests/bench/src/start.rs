//! What starting a plugin costs: VERSION, which needs nothing of the kernel, beside a static program that does nothing.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::call::{PATH, execute};
use crate::options::Options;
use crate::report::Report;

/// The program that does nothing, in the directory of a floor.
const EMPTY: &str = "empty";

pub(crate) fn measure(options: &Options, report: &mut Report) {
    let env = [("CNI_COMMAND", "VERSION"), ("PATH", PATH)];
    for plugin in ["loopback", "bridge", "portmap"] {
        for turn in 0..options.iterations(60) {
            for at in 0..options.suites.len() {
                let suite = &options.suites[(at + turn) % options.suites.len()];
                let name = if suite.is_floor() { EMPTY } else { plugin };
                let file = format!("{}/{name}", suite.directory);
                if !Path::new(&file).exists() {
                    continue;
                }
                let mut cost = execute(&file, &env, b"{\"cniVersion\":\"1.0.0\"}");
                cost.succeeded |= suite.is_floor();
                report.of(plugin, "VERSION", &suite.name).push_one(&cost);
                sleep(Duration::from_millis(2));
            }
        }
    }
}
