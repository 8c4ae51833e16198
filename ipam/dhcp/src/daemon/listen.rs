//! The socket clients come to: systemd's, or our own; and the pid file.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use cni_skel::ensure_dir;
use cni_types::{Doing, Error, Result};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::stat::{Mode, umask};

/// The first descriptor systemd hands over (`SD_LISTEN_FDS_START`, sd_listen_fds(3)).
const FIRST_FD: RawFd = 3;

/// A listening socket. One we have made goes away with it; systemd's stays.
pub(super) struct Listener {
    socket: UnixListener,
    path: PathBuf,
    ours: bool,
}

impl Listener {
    /// Systemd's socket, or else one at `path`: its directory is made (mode 0700), and a socket nobody listens on any
    /// more is replaced.
    ///
    /// # Errors
    /// Code 7 when systemd hands over more than one socket; code 5 when there can be none at `path`, also because
    /// another daemon listens there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if let Some(socket) = handed_over()? {
            let own = socket.local_addr().ok().and_then(|address| address.as_pathname().map(PathBuf::from));
            return Ok(Self { socket, path: own.unwrap_or_else(|| path.to_owned()), ours: false });
        }
        let doing = || format!("cannot listen on {}", path.display());
        if let Some(dir) = path.parent() {
            ensure_dir(dir).doing(doing())?;
        }
        remove_stale(path).doing(doing())?;
        // It has its mode from the start: whoever gets in before it is changed is in. One thread runs yet.
        let before = umask(Mode::from_bits_truncate(0o117));
        let bound = UnixListener::bind(path);
        umask(before);
        let socket = bound.doing(doing())?;
        // From here on it goes when this does.
        let listener = Self { socket, path: path.to_owned(), ours: true };
        fs::set_permissions(path, Permissions::from_mode(0o660)).doing(doing())?;
        Ok(listener)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The socket, for the event loop.
    ///
    /// # Errors
    /// Code 5 when it cannot be had.
    pub(super) fn socket(&self) -> Result<tokio::net::UnixListener> {
        let socket = || {
            let socket = self.socket.try_clone()?;
            socket.set_nonblocking(true)?;
            tokio::net::UnixListener::from_std(socket)
        };
        socket().doing(format!("cannot listen on {}", self.path.display()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.ours {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no socket is there"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon listens there")),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(e) => Err(e),
    }
}

/// The socket of sd_listen_fds(3), if this process is meant.
fn handed_over() -> Result<Option<UnixListener>> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    if number("LISTEN_PID") != Some(std::process::id()) {
        return Ok(None);
    }
    match number("LISTEN_FDS") {
        None | Some(0) => Ok(None),
        Some(1) => {
            // SAFETY: systemd opened it for this process, which has not touched it before.
            let fd = unsafe { OwnedFd::from_raw_fd(FIRST_FD) };
            fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
                .map_err(io::Error::from)
                .doing("systemd's socket")?;
            Ok(Some(UnixListener::from(fd)))
        }
        Some(n) => {
            Err(Error::config(format!("systemd hands over {n} sockets, and the dhcp daemon needs one")))
        }
    }
}

/// A file with the process's number, as long as this lives.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// # Errors
    /// Code 5 when it cannot be written.
    pub(super) fn write(path: &Path) -> Result<Self> {
        let doing = || format!("cannot write the pid file {}", path.display());
        let write = || {
            // Never through a link that somebody has laid there: the daemon may write any file.
            let mut options = OpenOptions::new();
            options.write(true).create(true).mode(0o644).custom_flags(OFlag::O_NOFOLLOW.bits());
            let mut file = options.open(path)?;
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.set_len(0)?;
            file.write_all(std::process::id().to_string().as_bytes())
        };
        write().doing(doing())?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
