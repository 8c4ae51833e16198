//! The process's standard streams without the standard library's buffers: a result is one write, nothing is kept back
//! to be written at exit, and a descriptor of the wrong kind is an error (the standard library takes it for empty).
//!
//! Whoever started us may have left them non-blocking, a property of the open file that it shares with us. It is left as
//! it is, and waited for what is not there yet.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// File descriptor 0.
pub(crate) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        waiting(io::stdin(), PollFlags::POLLIN, || nix::unistd::read(io::stdin(), buffer))
    }
}

/// File descriptor 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        waiting(io::stdout(), PollFlags::POLLOUT, || nix::unistd::write(io::stdout(), bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// File descriptor 2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        waiting(io::stderr(), PollFlags::POLLOUT, || nix::unistd::write(io::stderr(), bytes))
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
