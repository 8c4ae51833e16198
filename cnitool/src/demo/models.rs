//! `cnitool demo --model`: two nodes on one wire and a pod on each, in the three ways that clusters are wired. The
//! nodes are namespaces, the plugins the real ones; what flanneld and the administrator do, this does: the VXLAN device
//! with its neighbours, routes between the nodes, the VLAN on the uplink.

mod exchange;
mod fabric;
mod frame;
mod model;
mod node;
mod plays;

use std::process::ExitCode;
use std::time::Instant;

use cni_types::Result;

use super::report::{Paint, Report};
use super::{signals, source};
pub(crate) use model::Model;

/// Plays it. The exit status is that of the demonstration.
pub(crate) fn run(model: Model) -> ExitCode {
    let started = Instant::now();
    let mut report = Report::new();
    if let Err(error) = play(model, &mut report) {
        report.failed(model.name(), &error);
    }
    if let Some(signal) = signals::caught() {
        report.line(format!("\n{signal}: the namespaces go with this process."));
        return u8::try_from(128 + signal as i32).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    let took = format!("in {:.1} s", started.elapsed().as_secs_f64());
    match report.failures() {
        0 => report.line(format!("\n{} {took}.", report.paint(Paint::Good, "Every step worked,"))),
        n => report.line(format!("\n{} {took}.", report.paint(Paint::Bad, &format!("{n} step(s) failed,")))),
    }
    if report.failures() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(model: Model, report: &mut Report) -> Result<()> {
    let bin = source::directories()?;
    signals::catch()?;
    plays::play(model, &bin, report)
}
