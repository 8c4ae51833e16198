//! One run of a delegate: same environment but `CNI_COMMAND`, the configuration on stdin, one answer.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cni_types::{Code, Error, PluginName, Result, errno_text};
use nix::errno::Errno;

use super::{Verb, answer, find};
use crate::child::{self, Finished};
use crate::stdio::Stderr;

/// How long an executable may stay open for writing (ETXTBSY): an upgrade replaces the suite while pods start.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// Pause between two tries; the kernel has no event for "no longer written to".
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Runs plugin `name` from `cni_path` with `conf` on its stdin and returns what it printed (at most 16 MiB). Its stderr
/// is passed on only when it succeeds, and held in an error's details otherwise.
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
    exec_within(BUSY_LIMIT, verb, name, cni_path, conf, env)
}

fn exec_within(
    limit: Duration,
    verb: Verb,
    name: &PluginName,
    cni_path: &[PathBuf],
    conf: &[u8],
    env: &[(&str, &OsStr)],
) -> Result<Vec<u8>> {
    let program = find(name, cni_path)?;
    let doing = || format!("cannot run {} for {}", program.display(), verb.as_str());
    let _running = cni_trace::phase_of("delegate", name);
    let started = Instant::now();
    let mut env = env.to_vec();
    env.push(("CNI_COMMAND", OsStr::new(verb.as_str())));
    let Finished { status, stdout, stderr } = loop {
        match child::run(&program, &[], &env, conf) {
            Ok(finished) => break finished,
            Err(e) if e.raw_os_error() != Some(Errno::ETXTBSY as i32) => {
                return Err(Error::new(Code::DELEGATE, doing()).because(format!(
                    "{}{}",
                    errno_text(&e),
                    hint(&program, &e)
                )));
            }
            Err(_) if started.elapsed() < limit => std::thread::sleep(BUSY_PAUSE),
            Err(e) => {
                return Err(Error::try_again(doing())
                    .because(format!("{}; somebody is still writing the file", errno_text(&e))));
            }
        }
    };
    if status.success() {
        let _ = Stderr.write_all(&stderr);
        return Ok(stdout);
    }
    Err(answer::failure(verb, name, &Finished { status, stdout, stderr }))
}

/// What to look at when the kernel refuses to run a file that is there.
fn hint(program: &Path, error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES) => "; is the file executable (chmod +x), its file system mounted without noexec?",
        Some(Errno::ENOEXEC) => "; the file is no executable for this machine",
        Some(Errno::ENOENT) if program.exists() => {
            "; the file is there, but not the interpreter or loader it asks for"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// In here because the limit of 5 s, too long for a test, is no parameter of the public function.
    #[test]
    fn an_executable_that_stays_busy_is_error_11_and_one_that_gets_free_runs() {
        let dir = std::env::temp_dir().join(format!("cni-types-busy-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join("busy");
        fs::write(&file, "#!/bin/sh\necho '{}'\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let name = PluginName::new("busy").unwrap();
        let path = [dir.clone()];
        let writer = OpenOptions::new().append(true).open(&file).unwrap();

        let error = exec_within(Duration::ZERO, Verb::Add, &name, &path, b"{}", &[]).unwrap_err();
        assert_eq!(error.code, Code::TRY_AGAIN);
        assert!(error.msg.contains(&file.display().to_string()), "{error}");
        assert!(error.details.contains("ETXTBSY"), "{error}");

        let closer = std::thread::spawn(move || {
            std::thread::sleep(3 * BUSY_PAUSE);
            drop(writer);
        });
        let answer = exec_within(Duration::from_secs(60), Verb::Add, &name, &path, b"{}", &[]);
        closer.join().unwrap();
        assert_eq!(answer.unwrap(), b"{}\n");
        fs::remove_dir_all(&dir).unwrap();
    }
}
