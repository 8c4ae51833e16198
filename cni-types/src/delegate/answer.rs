//! What a delegate said: its two streams, bounded, and the error in them.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;

use super::Verb;
use crate::error::{Code, Error};
use crate::json::Json;
use crate::name::{PluginName, cut};

/// Most bytes a delegate may print: a runaway one must not take the node's memory.
const STDOUT_MAX: usize = 16 << 20;
/// Most bytes kept of its log.
const STDERR_MAX: usize = 1 << 20;
/// Most characters of its output quoted in an error.
const QUOTE_MAX: usize = 1000;
/// How often, in milliseconds, to ask whether a silent delegate has gone and left its streams to a child of its own.
const TICK_MS: u16 = 100;

pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Reads both streams while the delegate runs, so that it never blocks, and waits for its end.
///
/// # Errors
/// When it prints more than 16 MiB (it is killed then), or a system call fails.
pub(super) fn read(mut child: Child) -> io::Result<Answer> {
    let streams = streams(&mut child);
    if streams.is_err() {
        let _ = child.kill();
    }
    let status = child.wait()?;
    streams.map(|(stdout, stderr)| Answer { status, stdout, stderr })
}

fn streams(child: &mut Child) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut gone = false;
    while out.is_some() || err.is_some() {
        let (out_ready, err_ready) = ready(out.as_ref(), err.as_ref(), if gone { 0 } else { TICK_MS })?;
        if !out_ready && !err_ready {
            if gone {
                break;
            }
            // What it printed before its end is there for the next poll to see.
            gone = child.try_wait()?.is_some();
            continue;
        }
        if out_ready && take(&mut out, &mut stdout)? {
            out = None;
        }
        if err_ready && take(&mut err, &mut stderr)? {
            err = None;
        }
        if stdout.len() > STDOUT_MAX {
            return Err(io::Error::other(format!("it printed more than {STDOUT_MAX} bytes")));
        }
        stderr.truncate(STDERR_MAX);
    }
    Ok((stdout, stderr))
}

/// Which of the two streams have something to read, or have ended.
fn ready(out: Option<&impl AsFd>, err: Option<&impl AsFd>, milliseconds: u16) -> io::Result<(bool, bool)> {
    let mut fds = Vec::with_capacity(2);
    fds.extend(out.map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
    fds.extend(err.map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
    match poll(&mut fds, PollTimeout::from(milliseconds)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(e) => return Err(e.into()),
    }
    let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
    Ok((out.is_some() && ready.next() == Some(true), err.is_some() && ready.next() == Some(true)))
}

/// Reads what is there; true at the stream's end.
fn take(stream: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<bool> {
    let Some(stream) = stream else { return Ok(true) };
    let mut buffer = [0; 16 << 10];
    let n = stream.read(&mut buffer)?;
    into.extend_from_slice(&buffer[..n]);
    Ok(n == 0)
}

/// The error of a delegate that failed.
pub(super) fn failure(verb: Verb, name: &PluginName, answer: &Answer) -> Error {
    #[derive(Deserialize)]
    struct Object {
        code: u32,
        #[serde(default)]
        msg: String,
        #[serde(default)]
        details: String,
    }
    let Answer { status, stdout, stderr } = answer;
    let object = Json::parse(stdout).and_then(|json| json.decode::<Object>()).ok();
    if let Some(Object { code, msg, details }) =
        object.filter(|o| !(o.msg.is_empty() && o.details.is_empty()))
    {
        // 0 is no error code; the reference's plugins use it for a delegate of theirs that died without a word.
        let code = if code == 0 { Code::DELEGATE } else { Code(code) };
        return Error { code, msg, details };
    }
    let error = Error::new(Code::DELEGATE, format!("plugin {name} failed on {}", verb.as_str()));
    let quote = |bytes: &[u8]| format!("{:?}", cut(String::from_utf8_lossy(bytes).trim(), QUOTE_MAX));
    let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    if !blank(stdout) {
        error.because(format!("{status}, and its answer is no CNI error object: {}", quote(stdout)))
    } else if !blank(stderr) {
        error.because(format!("{status}, stderr: {}", quote(stderr)))
    } else {
        error.because(format!("{status} without any output"))
    }
}
