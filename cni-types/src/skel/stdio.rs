//! The process's stdin and stdout without the standard library's buffers: a result is one write, nothing is kept back
//! to be written at exit, and a descriptor of the wrong kind is an error (the standard library takes it for empty).

use std::io::{self, Read, Write};

/// File descriptor 0.
pub(super) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(io::stdin(), buffer)?)
    }
}

/// File descriptor 1.
pub(super) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(io::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that remembers whether any byte went out: after a document that was cut off, none other may follow.
pub(super) struct Tracked<'a> {
    pub(super) inner: &'a mut dyn Write,
    pub(super) started: bool,
}

impl Write for Tracked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.started |= written > 0;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
