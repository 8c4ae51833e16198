//! The runtime side of CNI for people: attaches namespaces to networks, checks, detaches and collects, with the
//! command line, the environment and the result cache of the Go `cnitool`.
//!
//! - [`conflist`]: network configurations, from a directory or a file.
//! - [`request`]: what one plugin gets on its stdin.
//! - [`chain`]: one operation over all plugins of a network.
//! - [`invoke`]: one run of one plugin.
//! - [`cache`]: what ADD returned, kept for CHECK, DEL and GC.
//! - `attachments`: what this node has, joined from the cache, the parts and the kernel; `kernel`: the latter.
//! - `ls`, `graph`, `metrics`: the same as a list, a picture and numbers; `check_all`: CHECK of all of it.
//! - `install`: the suite's plugins, put into a directory.
//! - `version`: what is in a directory of plugins, and what runtimes make of it.
//! - `gc`: what dead containers have left, removed.
//! - `restore`: what somebody took from living attachments, put back.
//! - `validate`: what is wrong with configurations, out of the plugins' declarations (`known`).
//! - `schema`: the same declarations as a JSON Schema.
//! - `debug`: a network tried out, and what is wrong with it and the node, for reports.
//! - `trace`: what plugins did, and where their time went.
//! - `demo`: the main job of the suite in one command, in namespaces of its own.
//!
//! State on the host: one file per attachment in `/var/lib/cni/results`, written by `add`, removed by `del` and `gc`.
//! The differences from the Go tool are listed in the README.

mod at_once;
mod attachments;
pub mod cache;
pub mod chain;
mod check_all;
mod cli;
mod completions;
pub mod conflist;
mod debug;
mod demo;
mod executable;
mod gc;
mod graph;
mod install;
pub mod invoke;
mod kernel;
mod known;
mod ls;
mod metrics;
mod output;
mod protocol;
pub mod request;
mod restore;
mod schema;
mod settings;
mod svg;
mod table;
mod target;
mod terminal;
mod tool;
mod trace;
mod validate;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use cni_skel::tell;
use cni_types::{Result, SpecVersion};

use cli::Command;
use output::{print, with_code};

/// Runs the command line of this process: the whole body of `main`.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match cli::parse(&arguments) {
        Ok(command) => run(command),
        Err(mistake) => {
            tell(mistake.trim_end());
            return ExitCode::FAILURE;
        }
    };
    outcome.unwrap_or_else(|error| {
        tell(with_code(&error));
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Help => print(cli::USAGE)?,
        Command::Version => print(&version())?,
        Command::Model(model) => return Ok(demo::run_model(model)),
        Command::Demo { conflist } => return Ok(demo::run(conflist.as_deref())),
        Command::Installed { dir } => {
            let dirs = dir.map_or_else(settings::cni_path, |dir| Ok(vec![dir]))?;
            print(&version::report(&dirs)?)?;
        }
        Command::Completions { shell: Some(shell) } => print(&completions::script(shell, &cli::VERBS))?,
        Command::Completions { shell: None } => {
            let names = conflist::dir::names(&settings::net_dir()?)?;
            print(&names.iter().map(|name| format!("{name}\n")).collect::<String>())?;
        }
        Command::Ls(options) => print(&ls::run(&options)?)?,
        Command::Graph(options) => print(&graph::run(&options)?)?,
        Command::Metrics(to) => print(&metrics::run(&to)?)?,
        Command::CheckAll { network } => {
            let (table, is_good) = check_all::run(network.as_deref())?;
            print(&table)?;
            return Ok(status(is_good));
        }
        Command::Debug(options) => return Ok(status(debug::run(&options, &print)?)),
        Command::Trace(options) => trace::run(&options, &print)?,
        Command::Install(options) => {
            let until = options.stay.then(install::Held::new).transpose()?;
            let (table, is_complete) = install::run(&options)?;
            print(&table)?;
            if let Some(signals) = until.filter(|_| is_complete) {
                signals.wait()?;
            }
            return Ok(status(is_complete));
        }
        Command::Validate(options) => {
            let (text, status) = validate::run(&options)?;
            print(&text)?;
            return Ok(status.into());
        }
        Command::Schema => print(&schema::print())?,
        Command::Add { target, validates } => protocol::add(&target, validates)?,
        Command::Check(target) => protocol::check(&target)?,
        Command::Del(target) => protocol::del(&target)?,
        Command::Status { network } => protocol::status(&network)?,
        Command::Gc(options) => return gc::run(&options),
        Command::Restore { networks } => return restore::run(&networks),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn version() -> String {
    let versions: Vec<&str> = SpecVersion::ALL.iter().map(|version| version.as_str()).collect();
    let (own, known) = (env!("CARGO_PKG_VERSION"), versions.join(", "));
    format!("cnitool v{own}\nCNI protocol versions supported: {known}\n")
}
