//! The command line, in the syntax of Go's `flag` package: `-name value`, `-name=value`, one dash or two.

mod duration;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::SOCKET;
use crate::lease::Timing;

/// What the daemon was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `-pidfile`, an absolute path.
    pub(crate) pid_file: Option<PathBuf>,
    /// `-hostprefix`: stands before the socket's path and those of namespaces.
    pub(crate) host_prefix: String,
    /// `-socketpath`.
    pub(crate) socket_path: PathBuf,
    /// `-broadcast`: servers are asked to answer by broadcast.
    pub(crate) broadcast: bool,
    /// `-timeout`, `-resendmax`, `-resendtimeout`.
    pub(crate) timing: Timing,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            pid_file: None,
            host_prefix: String::new(),
            socket_path: PathBuf::from(SOCKET),
            broadcast: false,
            timing: Timing::default(),
        }
    }
}

/// Why the daemon does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usage {
    /// `-help`.
    Asked,
    /// What is wrong.
    Wrong(String),
}

/// The text of `-help`.
pub(crate) const HELP: &str = "Usage of dhcp daemon:
  -broadcast
    \task servers to answer by broadcast
  -hostprefix string
    \tdirectory in front of the socket's path and the paths of network namespaces
  -pidfile string
    \tabsolute path of the file to write the process id to
  -resendmax duration
    \tlongest pause between two messages of an acquisition (default 1m2s)
  -resendtimeout duration
    \thow long an acquisition may take (default 3m28s)
  -socketpath string
    \tpath of the socket to listen on (default \"/run/cni/dhcp.sock\")
  -timeout duration
    \thow long an offer is asked for, and an answer to a renewal waited for (default 10s)
";

impl Flags {
    /// Reads what follows `dhcp daemon`.
    ///
    /// # Errors
    /// What is wrong, or that help was asked for.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, Usage> {
        let mut flags = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(name) = argument.strip_prefix('-').filter(|name| !name.is_empty()) else { break };
            let name = name.strip_prefix('-').unwrap_or(name);
            if name.is_empty() {
                break;
            }
            let (name, value) =
                name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            match name {
                "h" | "help" => return Err(Usage::Asked),
                "broadcast" => flags.broadcast = boolean(value.unwrap_or("true"))?,
                "pidfile" | "hostprefix" | "socketpath" | "timeout" | "resendmax" | "resendtimeout" => {
                    let value = value.or_else(|| rest.next().map(String::as_str));
                    let value = value.ok_or_else(|| wrong(format!("flag needs an argument: -{name}")))?;
                    flags.set(name, value)?;
                }
                _ => return Err(wrong(format!("flag provided but not defined: -{name}"))),
            }
        }
        Ok(flags)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Usage> {
        match name {
            "pidfile" if value.is_empty() => self.pid_file = None,
            "pidfile" if !value.starts_with('/') => {
                return Err(wrong(format!("-pidfile {value:?} is not an absolute path")));
            }
            "pidfile" => self.pid_file = Some(value.into()),
            "hostprefix" => value.clone_into(&mut self.host_prefix),
            "socketpath" => self.socket_path = value.into(),
            "timeout" => self.timing.timeout = duration(name, value)?,
            "resendmax" => self.timing.resend_max = duration(name, value)?,
            _ => self.timing.resend_timeout = duration(name, value)?,
        }
        Ok(())
    }

    /// Where to listen.
    pub(crate) fn socket(&self) -> PathBuf {
        self.on_host(&self.socket_path)
    }

    /// A path with `-hostprefix` in front.
    pub(crate) fn on_host(&self, path: &Path) -> PathBuf {
        let mut prefixed = OsString::from(&self.host_prefix);
        prefixed.push(path);
        prefixed.into()
    }
}

fn wrong(why: String) -> Usage {
    Usage::Wrong(why)
}

fn boolean(text: &str) -> Result<bool, Usage> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(wrong(format!("invalid boolean value {text:?} for -broadcast"))),
    }
}

/// A duration above zero.
fn duration(name: &str, text: &str) -> Result<Duration, Usage> {
    let duration = duration::parse(text).filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| {
        wrong(format!("invalid value {text:?} for flag -{name}: it must be above zero, such as 10s or 1m30s"))
    })
}
