//! A plugin as a process.

use std::process::ExitCode;

use crate::dispatch::dispatch;
use crate::plugin::{Delegates, Plugin};
use crate::stdio::{Stderr, Stdin, Stdout};

/// Runs `plugin` on the process's environment and standard streams: the whole body of a plugin's `main`. `in_process`
/// are the plugins beside it in this executable.
pub fn run(plugin: &dyn Plugin, in_process: &'static [&'static dyn Plugin]) -> ExitCode {
    let env = |name: &str| std::env::var_os(name);
    let delegates = Delegates::new(in_process);
    dispatch(plugin, &delegates, &env, &mut Stdin, &mut Stdout, &mut Stderr).into()
}
