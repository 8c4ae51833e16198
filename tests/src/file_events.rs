//! Waiting for a file to be as expected, by what the kernel says about its directory.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::LIMIT;

/// Tries `expected` now and after every change in the directory of `file` until it succeeds.
///
/// # Errors
/// Its last error, after [`LIMIT`].
pub fn wait_until<T, E>(file: &Path, expected: impl Fn() -> Result<T, E>) -> Result<T, E> {
    let changes = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    let events = AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVED_TO;
    changes.add_watch(file.parent().unwrap(), events).unwrap();
    let start = Instant::now();
    loop {
        let tried = expected();
        let left = LIMIT.saturating_sub(start.elapsed());
        if tried.is_ok() || left.is_zero() {
            return tried;
        }
        let mut fds = [PollFd::new(changes.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::try_from(left).unwrap()).ok();
        changes.read_events().ok();
    }
}
