//! A connection to the daemon: blocking, and bounded in time and size.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use cni_types::{Code, Error};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt};
use nix::sys::time::TimeVal;

use crate::wire;

/// Why there is no answer.
pub(super) enum Failure {
    /// Nobody listens.
    NotThere(io::Error),
    /// Somebody does, but does not answer in time, or breaks off.
    Silent(io::Error),
}

impl Failure {
    /// The error that names the socket and says how to start the daemon.
    pub(super) fn error(self, socket: &Path) -> Error {
        let (what, cause, next) = match self {
            Self::NotThere(e) => (
                "error dialing DHCP daemon: nobody listens on",
                e,
                "; start it with `systemctl start cni-dhcp.socket`, or by hand with `dhcp daemon`",
            ),
            Self::Silent(e) => ("the dhcp daemon does not answer on", e, ""),
        };
        let mut error = Error::io(format!("{what} {}", socket.display()), &cause);
        error.details.push_str(next);
        error.with_code(Code::TRY_AGAIN)
    }
}

/// A connection that is over at a certain time.
pub(super) struct Connection {
    stream: UnixStream,
    end: Instant,
}

impl Connection {
    /// # Errors
    /// When nobody listens, or too many wait already.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Self, Failure> {
        let open = || {
            let fd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
            // Connecting waits while the listener's queue is full. Where the kernel counts seconds with 32 bits, 68
            // years.
            let seconds = i32::try_from(patience.as_secs()).unwrap_or(i32::MAX);
            setsockopt(&fd, sockopt::SendTimeout, &TimeVal::new(seconds.into(), 0))?;
            connect(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
            Ok(UnixStream::from(fd))
        };
        match open().map_err(|errno: nix::Error| io::Error::from(errno)) {
            Ok(stream) => Ok(Self { stream, end: Instant::now() + patience }),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(Failure::Silent(e)),
            Err(e) => Err(Failure::NotThere(e)),
        }
    }

    /// # Errors
    /// When the daemon does not take it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).map_err(Failure::Silent)
    }

    /// More bytes of the answer; none at its end.
    ///
    /// # Errors
    /// When none come in time.
    pub(super) fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Failure> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(buffer)) {
                Ok(length) => return Ok(buffer.get(..length).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Failure::Silent(e)),
            }
        }
    }
}

/// Asks one question; the answer is all that comes up to a newline or the end.
///
/// # Errors
/// When there is no answer.
pub(super) fn exchange(path: &Path, question: &[u8], patience: Duration) -> Result<Vec<u8>, Failure> {
    let mut connection = Connection::open(path, patience)?;
    // One that closes early may have said why.
    let sent = connection.send(question);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while answer.len() < wire::SIZE_MAX && !answer.ends_with(b"\n") {
        match connection.receive(&mut buffer) {
            Ok([]) => break,
            Ok(bytes) => answer.extend_from_slice(bytes),
            Err(failure) if answer.is_empty() => return Err(failure),
            Err(_) => break,
        }
    }
    if answer.is_empty() {
        sent?;
        return Err(Failure::Silent(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(answer)
}
