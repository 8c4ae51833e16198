//! Child processes with an end: whatever a test starts has finished, or the test has failed, within [`LIMIT`].

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// No child of a test may take longer than this; it is far above anything expected, so it only ends hangs.
pub const LIMIT: Duration = Duration::from_secs(120);

/// What a finished child left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Everything it wrote to stdout.
    pub stdout: Vec<u8>,
    /// Everything it wrote to stderr, lossily decoded.
    pub stderr: String,
}

/// Runs `command` with `stdin` to its end.
///
/// # Panics
/// When it cannot be started, or still runs after [`LIMIT`] (it is killed first).
pub fn run(command: &mut Command, stdin: &[u8]) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A child that does not read its stdin closes the pipe: that is its right.
        scope.spawn(move || pipe.write_all(stdin).ok());
        let (stdout, stderr) = drain(&mut child, command);
        let status = child.wait().unwrap();
        Finished { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
    })
}

/// Reads both streams until the child (and whoever inherited them) closed them.
fn drain(child: &mut Child, command: &Command) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while out.is_some() || err.is_some() {
        let fds = [out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)];
        let mut fds: Vec<_> =
            fds.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let left = LIMIT.saturating_sub(start.elapsed());
        let ready = poll(&mut fds, PollTimeout::try_from(left).unwrap()).unwrap_or(0);
        let readable: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        if ready == 0 && start.elapsed() >= LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            let stderr = String::from_utf8_lossy(&stderr);
            panic!("{command:?} still ran after {} s and was killed; stderr: {stderr}", LIMIT.as_secs());
        }
        let mut readable = readable.into_iter();
        read_some(&mut out, &mut stdout, &mut readable);
        read_some(&mut err, &mut stderr, &mut readable);
    }
    (stdout, stderr)
}

fn read_some(stream: &mut Option<impl Read>, into: &mut Vec<u8>, readable: &mut impl Iterator<Item = bool>) {
    let Some(open) = stream else { return };
    if !readable.next().unwrap_or(false) {
        return;
    }
    let mut chunk = [0; 16 * 1024];
    match open.read(&mut chunk).unwrap_or(0) {
        0 => *stream = None,
        n => into.extend_from_slice(&chunk[..n]),
    }
}
