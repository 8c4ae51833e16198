//! One run of a delegate in a process of its own, the configuration on stdin.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use cni_types::{Code, Error, Result, errno_text};
use nix::errno::Errno;

use super::Verb;
use crate::child::{self, Finished};

/// How long an executable may stay open for writing (ETXTBSY): an upgrade replaces the suite while pods start.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// Pause between two tries; the kernel has no event for "no longer written to".
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Runs `program` with `conf` on its stdin, and our environment but for the variables in `env`.
///
/// # Errors
/// Code 102 when the kernel does not run it; code 11 when it stays busy for 5 s.
pub(super) fn exec(verb: Verb, program: &Path, env: &[(String, OsString)], conf: &[u8]) -> Result<Finished> {
    exec_within(BUSY_LIMIT, verb, program, env, conf)
}

fn exec_within(
    limit: Duration,
    verb: Verb,
    program: &Path,
    env: &[(String, OsString)],
    conf: &[u8],
) -> Result<Finished> {
    let doing = || format!("cannot run {} for {}", program.display(), verb.as_str());
    let started = Instant::now();
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_os_str())).collect();
    loop {
        match child::run(program, &[], &env, conf) {
            Ok(finished) => return Ok(finished),
            Err(e) if e.raw_os_error() != Some(Errno::ETXTBSY as i32) => {
                return Err(Error::new(Code::DELEGATE, doing()).because(format!(
                    "{}{}",
                    errno_text(&e),
                    hint(program, &e)
                )));
            }
            Err(_) if started.elapsed() < limit => std::thread::sleep(BUSY_PAUSE),
            Err(e) => {
                return Err(Error::try_again(doing())
                    .because(format!("{}; somebody is still writing the file", errno_text(&e))));
            }
        }
    }
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
        let writer = OpenOptions::new().append(true).open(&file).unwrap();

        let error = exec_within(Duration::ZERO, Verb::Add, &file, &[], b"{}").unwrap_err();
        assert_eq!(error.code, Code::TRY_AGAIN);
        assert!(error.msg.contains(&file.display().to_string()), "{error}");
        assert!(error.details.contains("ETXTBSY"), "{error}");

        let closer = std::thread::spawn(move || {
            std::thread::sleep(3 * BUSY_PAUSE);
            drop(writer);
        });
        let answer = exec_within(Duration::from_secs(60), Verb::Add, &file, &[], b"{}");
        closer.join().unwrap();
        assert_eq!(answer.unwrap().stdout, b"{}\n");
        fs::remove_dir_all(&dir).unwrap();
    }
}
