//! One execution of a plugin, as a runtime does it, and what it cost.

use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a call cost, and what came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    /// From before the fork to after the wait, in microseconds.
    pub(crate) wall: f64,
    /// User and system time with that of its children, in microseconds.
    pub(crate) cpu: f64,
    /// What was read from disks for it and its children, in kB.
    pub(crate) read: f64,
    /// Peak resident memory of the process itself in kB, where it was watched.
    pub(crate) peak: f64,
    /// Standard output.
    pub(crate) said: Vec<u8>,
    /// Exit status 0.
    pub(crate) succeeded: bool,
}

/// Where a runtime's plugins look for tools.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A way to run a plugin: its file, its environment, its configuration.
pub(crate) type Execute = fn(&str, &[(&str, &str)], &[u8]) -> Cost;

/// Executes the plugin. It is waited for by [`wait`].
#[allow(clippy::zombie_processes)]
pub(crate) fn execute(path: &str, env: &[(&str, &str)], conf: &[u8]) -> Cost {
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.envs(env.iter().copied());
    let start = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return Cost { said: format!("{path}: {e}").into_bytes(), ..Cost::default() },
    };
    let _ = child.stdin.take().unwrap().write_all(conf);
    let mut said = Vec::with_capacity(4096);
    let _ = child.stdout.take().unwrap().read_to_end(&mut said);
    let (status, usage) = wait(child.id());
    let wall = start.elapsed().as_secs_f64() * 1e6;
    let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    Cost {
        wall,
        cpu: micros(usage.ru_utime) + micros(usage.ru_stime),
        read: usage.ru_inblock as f64 / 2.0,
        peak: 0.0,
        said,
        succeeded: libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
    }
}

/// Waits for a child: its status, and what it used.
fn wait(pid: u32) -> (i32, libc::rusage) {
    let (mut status, mut usage) = (0, MaybeUninit::zeroed());
    // SAFETY: both outlive the call, and all-zero bytes are a valid `rusage`, should the call fail.
    let usage = unsafe {
        libc::wait4(pid as libc::pid_t, &raw mut status, 0, usage.as_mut_ptr());
        usage.assume_init()
    };
    (status, usage)
}
