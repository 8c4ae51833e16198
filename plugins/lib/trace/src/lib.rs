//! What a run of a plugin did and where its time went: one line of JSON per run, in one append, for whoever switches it
//! on by `CNI_LOG`, `CNI_DEBUG` and `CNI_RECORD` in the environment or in [`SWITCHES`].
//!
//! Off, a phase costs a branch and nothing is allocated; the one system call is the look for the switches' file, and
//! there is none with `CNI_LOG=off`. On, a trace that cannot be written never fails a plugin and never makes it wait.

mod clock;
mod context;
mod file;
mod line;
mod members;
mod open;
mod recorder;
mod sink;
mod switch;

pub use context::Context;
pub use recorder::{
    Asked, Phase, Run, asked, asks, is_elsewhere, network, phase, phase_of, stdin, traceparent,
};
pub use switch::SWITCHES;

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;
