//! The most memory that a plugin has itself. What `wait4` says is no use: it begins with the memory of whoever forked.
//! So the plugin is stopped at its exit, when it still has its memory, and the kernel is asked.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::call::Cost;
use crate::chain::Chain;
use crate::options::Options;
use crate::place::Place;
use crate::report::Report;
use crate::scenario::{ALL, Scenario};

pub(crate) fn measure(options: &Options, report: &mut Report) {
    for name in options.some(&ALL) {
        let scenario = Scenario::named(name);
        for suite in options.suites.iter().filter(|suite| !suite.is_floor()) {
            let (host, pod) = (Place::host("memory-host"), Place::new("memory-pod"));
            host.go();
            scenario.prepare();
            let mut chain = Chain::new(&scenario, suite);
            chain.execute = watch;
            for turn in 0..options.iterations(3) {
                let added = chain.add(turn, &pod);
                let deleted = chain.del(turn, &pod, &added.result);
                for (verb, done) in [("ADD kB", added), ("DEL kB", deleted)] {
                    let samples = report.of(name, verb, &suite.name);
                    match done.error {
                        Some(error) => samples.fail(&error),
                        None => samples
                            .values
                            .push(done.each.iter().map(|(_, cost)| cost.peak).fold(0.0, f64::max)),
                    }
                }
            }
        }
    }
}

/// Executes the plugin under `ptrace`; its times mean nothing.
#[allow(clippy::zombie_processes)]
fn watch(path: &str, env: &[(&str, &str)], conf: &[u8]) -> Cost {
    let mut command = Command::new(path);
    command.env_clear().envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    // SAFETY: between fork and exec there is this one system call.
    unsafe { command.pre_exec(|| ptrace(libc::PTRACE_TRACEME.into(), 0, 0)) };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return Cost { said: format!("{path}: {e}").into_bytes(), ..Cost::default() },
    };
    // It is stopped behind its exec; what it is told and what it says have room in the pipes.
    let _ = child.stdin.take().unwrap().write_all(conf);
    let (succeeded, peak) = until_its_end(child.id() as libc::pid_t);
    let mut said = Vec::new();
    let _ = child.stdout.take().unwrap().read_to_end(&mut said);
    Cost { peak, said, succeeded, ..Cost::default() }
}

/// Whether it ended with 0, and its peak in kB.
fn until_its_end(pid: libc::pid_t) -> (bool, f64) {
    let (mut peak, mut is_first) = (0.0, true);
    loop {
        let mut status = 0;
        // SAFETY: the status outlives the call.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 || !libc::WIFSTOPPED(status) {
            return (libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, peak);
        }
        if is_first {
            let _ = ptrace(libc::PTRACE_SETOPTIONS.into(), pid, libc::PTRACE_O_TRACEEXIT as usize);
        }
        let is_event = status >> 8 == libc::SIGTRAP | (libc::PTRACE_EVENT_EXIT << 8);
        if is_event {
            peak = most(pid);
        }
        let signal = if is_event || is_first { 0 } else { libc::WSTOPSIG(status) as usize };
        is_first = false;
        let _ = ptrace(libc::PTRACE_CONT.into(), pid, signal);
    }
}

/// The kernel's high-water mark.
fn most(pid: libc::pid_t) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kb| kb.parse().ok()).unwrap_or(0.0)
}

fn ptrace(request: i64, pid: libc::pid_t, data: usize) -> std::io::Result<()> {
    // SAFETY: none of the requests here reads or writes memory of ours.
    let done = unsafe { libc::ptrace(request as _, pid, std::ptr::null_mut::<libc::c_void>(), data) };
    if done < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}
