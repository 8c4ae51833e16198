//! One run of a delegate: same environment but `CNI_COMMAND`, the configuration on stdin, one answer.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::Deserialize;

use super::{Verb, find};
use crate::error::{Code, Doing, Error, Result};
use crate::json::Json;
use crate::name::{PluginName, excerpt};

/// How long an executable may stay open for writing (ETXTBSY): an upgrade replaces the suite while pods start.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// Pause between two tries; the kernel has no event for "no longer written to".
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Runs plugin `name` from `cni_path` with `conf` on its stdin and returns what it printed.
///
/// # Errors
/// The delegate's own error object unchanged, where it printed one. Otherwise code 102 with its stderr, its stdout or
/// its exit status; code 7 when the executable is not found; code 11 when it stays busy for 5 s.
pub fn exec(verb: Verb, name: &PluginName, cni_path: &[PathBuf], conf: &[u8]) -> Result<Vec<u8>> {
    exec_with_env(verb, name, cni_path, conf, &[])
}

/// [`exec`] with more of the environment replaced than `CNI_COMMAND`: what a runtime sets for a plugin.
///
/// # Errors
/// As [`exec`].
pub fn exec_with_env(
    verb: Verb,
    name: &PluginName,
    cni_path: &[PathBuf],
    conf: &[u8],
    env: &[(&str, &OsStr)],
) -> Result<Vec<u8>> {
    let program = find(name, cni_path)?;
    let doing = || format!("cannot run {} for {}", program.display(), verb.as_str());
    let mut stdin = in_memory(conf).doing(doing())?;
    let started = Instant::now();
    let output = loop {
        stdin.rewind().doing(doing())?;
        let mut command = Command::new(&program);
        command.env("CNI_COMMAND", verb.as_str()).envs(env.iter().copied());
        command.stdin(stdin.try_clone().doing(doing())?);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        match spawned.and_then(std::process::Child::wait_with_output) {
            Ok(output) => break output,
            Err(e) if e.raw_os_error() == Some(Errno::ETXTBSY as i32) && started.elapsed() < BUSY_LIMIT => {
                std::thread::sleep(BUSY_PAUSE);
            }
            Err(e) if e.raw_os_error() == Some(Errno::ETXTBSY as i32) => {
                return Err(Error::try_again(doing()).because(format!("{e}; somebody is still writing it")));
            }
            Err(e) => return Err(Error::new(Code::DELEGATE, doing()).because(e)),
        }
    };
    if output.status.success() {
        let _ = io::stderr().write_all(&output.stderr);
        return Ok(output.stdout);
    }
    Err(failure(verb, name, &output))
}

/// The configuration as a file: no pipe to fill, so neither side can block or break the other.
fn in_memory(conf: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"cni-config", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(conf)?;
    Ok(file)
}

fn failure(verb: Verb, name: &PluginName, output: &Output) -> Error {
    #[derive(Deserialize)]
    struct Object {
        code: u32,
        #[serde(default)]
        msg: String,
        #[serde(default)]
        details: String,
    }
    let object = Json::parse(&output.stdout).and_then(|json| json.decode::<Object>());
    if let Ok(Object { code, msg, details }) = object {
        return Error { code: Code(code), msg, details };
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let error = Error::new(Code::DELEGATE, format!("plugin {name} failed on {}", verb.as_str()));
    if !stdout.trim().is_empty() {
        error.because(format!(
            "{}, and its answer is no CNI error object: {}",
            output.status,
            excerpt(&stdout)
        ))
    } else if !stderr.trim().is_empty() {
        error.because(format!("{}, stderr: {}", output.status, excerpt(stderr.trim())))
    } else {
        error.because(format!("{} without any output", output.status))
    }
}
