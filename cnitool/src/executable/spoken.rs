//! What a program says when it is run without anything.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A plugin says what it is within milliseconds; whatever is still at it by then is none, and is ended.
const BOUND: Duration = Duration::from_secs(10);
/// Most bytes of it that are kept.
const MOST: usize = 64 << 10;

/// The stderr of `program`, run without arguments, environment and input.
///
/// # Errors
/// When it cannot be started, or has not closed its stderr within [`BOUND`].
pub(super) fn without_command(program: &Path) -> io::Result<String> {
    let mut command = Command::new(program);
    command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let said = child.stderr.take().map_or_else(|| Ok(String::new()), read_to_end);
    end(&mut child);
    said
}

fn read_to_end(stderr: ChildStderr) -> io::Result<String> {
    let mut stderr = File::from(OwnedFd::from(stderr));
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    let start = Instant::now();
    loop {
        let left = BOUND.saturating_sub(start.elapsed());
        let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(0) => return Err(io::Error::other(format!("it still ran after {} s", BOUND.as_secs()))),
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        match stderr.read(&mut buffer)? {
            0 => return Ok(String::from_utf8_lossy(&said).into_owned()),
            n if said.len() < MOST => said.extend_from_slice(&buffer[..n]),
            _ => {}
        }
    }
}

/// With its stderr closed or its time over nothing more is wanted of it.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
