//! The dhcp daemon of either suite.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

use crate::{Host, LIMIT, Place, Service, Suite};

/// Where the daemon listens unless it is told otherwise.
pub const DHCP_SOCKET: &str = "/run/cni/dhcp.sock";

/// Where a daemon says that it is ready.
const NOTIFY: &str = "/run/cni-tests/notify";

impl Host {
    /// Our dhcp daemon with these flags; it is ready.
    pub fn dhcp_daemon(&self, flags: &[&str]) -> Service {
        self.dhcp_daemon_under(&["env"], flags)
    }

    /// The same under another command that becomes the daemon, for example `prlimit` or `strace -D`.
    pub fn dhcp_daemon_under(&self, wrapper: &[&str], flags: &[&str]) -> Service {
        let notified = Notified::new();
        let daemon = self.dhcp_daemon_command(Suite::Ours, flags);
        let mut command = self.command(wrapper[0]);
        command.args(&wrapper[1..]).arg(daemon.get_program()).args(daemon.get_args());
        let service = Service::start(notified.tell(&mut command));
        notified.ready();
        service
    }

    /// The reference's dhcp daemon with these flags, on the socket `path`: the system's part in socket activation is
    /// the test's, so it can be asked at once.
    pub fn reference_dhcp_daemon(&self, path: &str, flags: &[&str]) -> Service {
        Service::start(&mut activated(listener(path), &self.dhcp_daemon_command(Suite::Reference, flags)))
    }

    /// The command of a dhcp daemon.
    pub fn dhcp_daemon_command(&self, suite: Suite, flags: &[&str]) -> Command {
        let mut command = self.command(suite.source().join("dhcp").to_str().unwrap());
        command.arg("daemon").args(flags);
        command
    }
}

/// A listening socket at `path`, whose directory is made; what was there is replaced.
pub fn listener(path: &str) -> UnixListener {
    fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    fs::remove_file(path).ok();
    UnixListener::bind(path).unwrap()
}

/// The command with a listening socket as systemd's socket activation gives it: descriptor 3, `LISTEN_FDS`,
/// `LISTEN_PID`.
pub fn activated(listener: UnixListener, command: &Command) -> Command {
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(OwnedFd::from(listener));
    shell
}

/// The socket of `sd_notify(3)`.
#[derive(Debug)]
pub struct Notified(UnixDatagram);

impl Notified {
    /// Listens for what one daemon has to say.
    #[allow(clippy::new_without_default, reason = "it makes a file: too much for a default")]
    pub fn new() -> Self {
        fs::remove_file(NOTIFY).ok();
        let socket = UnixDatagram::bind(NOTIFY).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Self(socket)
    }

    /// Tells a daemon where.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("NOTIFY_SOCKET", NOTIFY)
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes within [`LIMIT`].
    pub fn next_message(&self) -> String {
        let mut message = [0; 4096];
        let length = self.0.recv(&mut message).expect("a message of the daemon");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    /// Waits for `READY=1`.
    pub fn ready(&self) {
        while !self.next_message().lines().any(|line| line == "READY=1") {}
    }
}
