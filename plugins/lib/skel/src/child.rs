//! Running another program: input in, both output streams out, bounded, without a shell and without blocking.
//!
//! The standard library could do this too, at the price of 40 kB in every executable.

mod tool;

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

pub use tool::find_tool;

/// Most bytes a child may print: a runaway one must not take the node's memory.
const STDOUT_MAX: usize = 16 << 20;
/// Most bytes kept of its log.
const STDERR_MAX: usize = 1 << 20;
/// How often, in milliseconds, to ask whether a silent child has gone and left its streams to a child of its own.
const TICK_MS: u16 = 100;

/// What a child's run is part of (W3C trace context).
const TRACEPARENT: &str = "TRACEPARENT";

/// A child that has come to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it logged.
    pub stderr: Vec<u8>,
}

/// Runs `program` with `args`, with `input` on its stdin and our environment but for the variables in `env`.
///
/// # Errors
/// When it cannot be started (`ETXTBSY`: somebody has it open for writing), or prints more than 16 MiB (it is killed
/// then).
pub fn run(program: &Path, args: &[&str], env: &[(&str, &OsStr)], input: &[u8]) -> io::Result<Finished> {
    keep_status();
    let (out, out_end) = pipe2(OFlag::O_CLOEXEC)?;
    let (err, err_end) = pipe2(OFlag::O_CLOEXEC)?;
    let pid = spawn(program, args, env, [in_memory(input)?.into(), out_end, err_end])?;
    let streams = streams(pid, File::from(out), File::from(err));
    if streams.is_err() {
        let _ = kill(pid, Signal::SIGKILL);
    }
    let status = wait(pid, WaitPidFlag::empty())?.unwrap_or_default();
    streams.map(|(stdout, stderr)| Finished { status, stdout, stderr })
}

/// A parent that ignores SIGCHLD hands that down, and the kernel then throws the status of our children away.
fn keep_status() {
    // SAFETY: the default disposition runs no code; a handler that was there is put back.
    if let Ok(handler @ SigHandler::Handler(_)) = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) } {
        // SAFETY: as above.
        let _ = unsafe { signal(Signal::SIGCHLD, handler) };
    }
}

/// Starts the program with `stdio` as its first three descriptors, which are closed on our side.
fn spawn(program: &Path, args: &[&str], env: &[(&str, &OsStr)], stdio: [OwnedFd; 3]) -> io::Result<Pid> {
    let program = CString::new(program.as_os_str().as_bytes())?;
    let args = args.iter().map(|arg| CString::new(*arg));
    let args = std::iter::once(Ok(program.clone())).chain(args).collect::<Result<Vec<_>, _>>()?;
    let parent = cni_trace::traceparent();
    let is_kept = |name: &OsStr| {
        env.iter().all(|(replaced, _)| name != *replaced) && (parent.is_none() || name != TRACEPARENT)
    };
    let kept = std::env::vars_os().filter(|(name, _)| is_kept(name));
    let replaced = env.iter().map(|(name, value)| (OsString::from(name), value.to_os_string()));
    let replaced =
        replaced.chain(parent.iter().map(|parent| (OsString::from(TRACEPARENT), OsString::from(parent))));
    let pairs = kept.chain(replaced).map(|(mut pair, value)| {
        pair.push("=");
        pair.push(value);
        CString::new(pair.into_vec())
    });
    let mut actions = PosixSpawnFileActions::init()?;
    for (number, fd) in (0..).zip(&stdio) {
        actions.add_dup2(fd.as_raw_fd(), number)?;
    }
    // What a plugin ignores or was started with is not what it runs expects: iptables, for one, ends its wait for a
    // lock by SIGALRM.
    let mut attr = PosixSpawnAttr::init()?;
    attr.set_sigdefault(&SigSet::from_iter([Signal::SIGPIPE, Signal::SIGXFSZ, Signal::SIGCHLD]))?;
    attr.set_sigmask(&SigSet::empty())?;
    attr.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK)?;
    Ok(posix_spawn(program.as_c_str(), &actions, &attr, &args, &pairs.collect::<Result<Vec<_>, _>>()?)?)
}

/// The input as a file: no pipe to fill, so neither side can block or break the other.
fn in_memory(input: &[u8]) -> io::Result<File> {
    // linux/memfd.h, since 6.3: nodes with vm.memfd_noexec=2 refuse a file without it, older kernels one with it.
    const NOEXEC_SEAL: MFdFlags = MFdFlags::from_bits_retain(0x8);
    let create = |flags| memfd_create(c"cni-input", flags | MFdFlags::MFD_CLOEXEC);
    let mut file = File::from(create(NOEXEC_SEAL).or_else(|_| create(MFdFlags::empty()))?);
    file.write_all(input)?;
    file.rewind()?;
    Ok(file)
}

/// The child's status once it has ended; `None` while it runs (with `WNOHANG`).
fn wait(pid: Pid, flags: WaitPidFlag) -> io::Result<Option<ExitStatus>> {
    loop {
        match waitpid(pid, Some(flags)) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(Some(ExitStatus::from_raw(code << 8))),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Some(ExitStatus::from_raw(signal as i32))),
            Ok(_) if flags.contains(WaitPidFlag::WNOHANG) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Whether the child has ended, without taking its status away from [`wait`].
fn has_ended(pid: Pid) -> bool {
    use nix::sys::wait::{Id, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(pid), flags), Ok(WaitStatus::StillAlive))
}

/// Reads both streams while the child runs, so that it never blocks.
fn streams(pid: Pid, out: File, err: File) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err) = (Some(out), Some(err));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut gone = false;
    while out.is_some() || err.is_some() {
        let (out_ready, err_ready) = ready(out.as_ref(), err.as_ref(), if gone { 0 } else { TICK_MS })?;
        if !out_ready && !err_ready {
            if gone {
                break;
            }
            // What it printed before its end is there for the next poll to see.
            gone = has_ended(pid);
            continue;
        }
        if out_ready && take(&mut out, &mut stdout)? {
            out = None;
        }
        if err_ready && take(&mut err, &mut stderr)? {
            err = None;
        }
        if stdout.len() > STDOUT_MAX {
            return Err(io::Error::other(format!("it printed more than {STDOUT_MAX} bytes")));
        }
        stderr.truncate(STDERR_MAX);
    }
    Ok((stdout, stderr))
}

/// Which of the two streams have something to read, or have ended.
fn ready(out: Option<&File>, err: Option<&File>, milliseconds: u16) -> io::Result<(bool, bool)> {
    let mut fds = Vec::with_capacity(2);
    fds.extend(out.map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
    fds.extend(err.map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
    match poll(&mut fds, PollTimeout::from(milliseconds)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(e) => return Err(e.into()),
    }
    let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
    Ok((out.is_some() && ready.next() == Some(true), err.is_some() && ready.next() == Some(true)))
}

/// Reads what is there; true at the stream's end.
fn take(stream: &mut Option<File>, into: &mut Vec<u8>) -> io::Result<bool> {
    let Some(stream) = stream else { return Ok(true) };
    let mut buffer = [0; 16 << 10];
    let n = stream.read(&mut buffer)?;
    into.extend_from_slice(&buffer[..n]);
    Ok(n == 0)
}
