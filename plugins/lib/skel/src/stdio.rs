//! The process's standard streams without the standard library's buffers: a result is one write, nothing is kept back
//! to be written at exit, and a descriptor of the wrong kind is an error (the standard library takes it for empty).
//!
//! Whoever started us may have left them non-blocking, a property of the open file that it shares with us. It is left
//! as it is, and waited for what is not there yet.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// File descriptor 0, 1 or 2. The standard library's handle of each begins with an allocation of its buffer.
pub(crate) fn standard(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: nobody closes these three; one that came closed is noticed and filled before anything else is done.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// File descriptor 0.
pub(crate) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        waiting(standard(0), PollFlags::POLLIN, || nix::unistd::read(standard(0), buffer))
    }
}

/// File descriptor 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        waiting(standard(1), PollFlags::POLLOUT, || nix::unistd::write(standard(1), bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// File descriptor 2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stderr;

thread_local! {
    /// What this thread has written there, as long as it is not to go out.
    static HELD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

impl Stderr {
    /// Does `act`, which must not panic, and gives what this thread has written on stderr meanwhile: whoever called it
    /// decides what becomes of that, as with a process's.
    pub(crate) fn held<T>(act: impl FnOnce() -> T) -> (T, Vec<u8>) {
        let outer = HELD.replace(Some(Vec::new()));
        let done = act();
        (done, HELD.replace(outer).unwrap_or_default())
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_held = |held: &RefCell<Option<Vec<u8>>>| {
            held.borrow_mut().as_mut().map(|held| held.extend_from_slice(bytes)).is_some()
        };
        if HELD.with(is_held) {
            return Ok(bytes.len());
        }
        waiting(standard(2), PollFlags::POLLOUT, || nix::unistd::write(standard(2), bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does what a blocking descriptor does: waits as long as it takes.
fn waiting<T>(fd: impl AsFd, events: PollFlags, mut act: impl FnMut() -> nix::Result<T>) -> io::Result<T> {
    loop {
        match act() {
            Err(Errno::EAGAIN) => match poll(&mut [PollFd::new(fd.as_fd(), events)], PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            },
            Err(Errno::EINTR) => {}
            done => return Ok(done?),
        }
    }
}
