//! `cnitool demo`: the main job of the suite in one command. Three containers on one network, attached by the real
//! executables; addresses, pings, the address the outside sees, CHECK, DEL, and what is left. It plays in namespaces
//! of its own (see `stage`), so it changes nothing on the machine and needs neither root nor any tool.

mod item;
mod models;
mod nft;
mod ping;
mod play;
mod report;
mod show;
mod signals;
mod snapshot;
mod source;
mod stage;
pub(crate) use stage::namespace;
mod world;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use cni_types::Result;

pub(crate) use models::{Model, run as run_model};
use play::Play;
use report::{Paint, Report};

/// Plays it, on `conflist` or on the network that is built in. Exit status 0 when every step worked, 1 when one did
/// not, 128 and the signal's number when a signal ended it.
pub(crate) fn run(conflist: Option<&Path>) -> ExitCode {
    let started = Instant::now();
    let mut report = Report::new();
    if let Err(error) = play(&mut report, conflist) {
        if signals::caught().is_none() {
            report.failed("demo", &error);
        }
    }
    if let Some(signal) = signals::caught() {
        report
            .line(format!("\n{signal}: what was made is removed, and the namespaces go with this process."));
        return u8::try_from(128 + signal as i32).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    let took = format!("in {:.1} s", started.elapsed().as_secs_f64());
    match report.failures() {
        0 => report.line(format!("\n{} {took}.", report.paint(Paint::Good, "Every step worked,"))),
        1 => report.line(format!("\n{} {took}.", report.paint(Paint::Bad, "1 step failed,"))),
        n => report.line(format!("\n{} {took}.", report.paint(Paint::Bad, &format!("{n} steps failed,")))),
    }
    if report.failures() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(report: &mut Report, conflist: Option<&Path>) -> Result<()> {
    let source = source::find(conflist)?;
    signals::catch()?;
    let mut play = Play::prepare(source)?;
    let played = play.run(report);
    // Also after a failure or a signal: nobody else will.
    play.detach_all(report);
    play.show_what_is_left(report)?;
    played
}
