//! TCP, as many times as asked.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Long enough for a machine with other work.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers what it is sent, one connection after the other, for ever.
pub(super) fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let _ = stream.set_nodelay(true);
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
    }
}

/// So many connections, each ended by a reset, which leaves no port waiting.
pub(super) fn connect(to: SocketAddr, count: usize) -> io::Result<()> {
    for _ in 0..count {
        reset(&TcpStream::connect_timeout(&to, PATIENCE)?);
    }
    Ok(())
}

/// So many bytes there and back on one connection.
pub(super) fn round_trips(to: SocketAddr, count: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut byte = [1];
    for _ in 0..count {
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
    }
    reset(&stream);
    Ok(())
}

/// Closing it will send a reset.
fn reset(stream: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let length = size_of_val(&linger) as libc::socklen_t;
    // SAFETY: the kernel reads so many bytes of a `linger` that lives until it returns.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            length,
        );
    }
}

/// The CPU time of this process in microseconds: what the kernel does for a packet of ours counts, too.
pub(super) fn cpu() -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64)
        .sum()
}
