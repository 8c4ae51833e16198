//! A finished line on its way. Nothing in here waits, and nothing fails a plugin.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::socket::{MsgFlags, send};

use crate::file;
use crate::line::{Line, text};
use crate::switch::{Destination, Switches};

/// Where journald listens (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Writes the lines of a process in one go. What was asked of the kernel is left out where it is too much.
pub(crate) fn put(lines: &[Line], to: &Destination, switches: &Switches) {
    let written = match to {
        Destination::Stderr => stderr(&text(lines, true)),
        Destination::File(path) => {
            let whole = text(lines, true);
            let is_too_much = whole.len() as u64 > switches.limit;
            let lines = if is_too_much { text(lines, false) } else { whole };
            file::append(path, &lines, switches.limit)
        }
        Destination::Journal => lines.iter().try_for_each(|line| match journal(line, true) {
            Err(e) if e.raw_os_error() == Some(Errno::EMSGSIZE as i32) => journal(line, false),
            sent => sent,
        }),
    };
    complain(written, || place(to));
}

/// Appends what a run was given.
pub(crate) fn record(line: &str, switches: &Switches) {
    if let Some(path) = &switches.record {
        complain(file::append(path, line, switches.limit), || path.display().to_string());
    }
}

fn place(to: &Destination) -> String {
    match to {
        Destination::Stderr => "stderr".to_owned(),
        Destination::Journal => JOURNAL.to_owned(),
        Destination::File(path) => path.display().to_string(),
    }
}

fn complain(written: io::Result<()>, place: impl FnOnce() -> String) {
    if let Err(e) = written {
        let _ = stderr(&format!("cannot write the trace to {}: {e}\n", place()));
    }
}

/// Without waiting for whoever reads there: whether a descriptor waits is a property it shares with others, so a socket
/// is told for this once, and anything else is opened anew.
fn stderr(text: &str) -> io::Result<()> {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    match send(libc::STDERR_FILENO, text.as_bytes(), flags) {
        Err(Errno::ENOTSOCK) => {}
        sent => return Ok(sent.map(drop)?),
    }
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let mut stderr = OpenOptions::new().append(true).custom_flags(flags).open("/proc/self/fd/2")?;
    stderr.write(text.as_bytes()).map(drop)
}

/// One datagram. No value has a newline in it.
fn journal(line: &Line, with_asked: bool) -> io::Result<()> {
    let mut entry = format!("PRIORITY={}\nSYSLOG_IDENTIFIER=cni\n", if line.is_failure() { 3 } else { 6 });
    for (field, value) in line.fields() {
        let _ = writeln!(entry, "{field}={}", value.replace('\n', " "));
    }
    entry += "MESSAGE=";
    entry += &text(std::slice::from_ref(line), with_asked);
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(entry.as_bytes(), JOURNAL).map(drop)
}
