//! A delegate of this very build, called in this process: the same as a run of it, from the environment to the answer.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::child::Finished;
use crate::dispatch::dispatch;
use crate::plugin::{Delegates, Plugin};
use crate::stdio::Stderr;

/// Calls `plugin` with `conf` as its stdin, in the environment of its `delegates`.
pub(super) fn call(plugin: &dyn Plugin, delegates: &Delegates, conf: &[u8]) -> Finished {
    let mut stdout = Vec::new();
    let env = |name: &str| delegates.variable(name);
    let run = || dispatch(plugin, delegates, &env, &mut { conf }, &mut stdout, &mut Stderr);
    let (code, stderr) = Stderr::held(run);
    Finished { status: ExitStatus::from_raw(i32::from(code) << 8), stdout, stderr }
}
