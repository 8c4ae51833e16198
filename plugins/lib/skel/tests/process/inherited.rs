//! What a parent leaves its children: signals it ignores or blocks, limits, descriptors that do not block.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use serde_json::Value;

use super::{CONF, plugin};
use crate::scripts::Scripts;

/// `command` under another one, such as `env --ignore-signal`.
fn under(wrapper: &[&str], command: &Command) -> Command {
    let mut wrapped = Command::new(wrapper[0]);
    wrapped.args(&wrapper[1..]).arg(command.get_program()).env_clear();
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    wrapped.env("PATH", std::env::var_os("PATH").unwrap());
    wrapped
}

/// A command with its configuration on stdin.
fn with_conf(mut command: Command, scripts: &Scripts) -> Command {
    command.stdin(File::open(scripts.0.join("conf")).unwrap());
    command
}

pub(crate) fn signals() {
    let scripts = Scripts::new();
    // The shell passes on what it was started with.
    scripts.write("delegate", "grep -E '^Sig(Blk|Ign)' /proc/self/status >$DIR/signals; echo '{}'", 0o755);
    for wrapper in [
        &["env", "--ignore-signal=CHLD"][..],
        &["env", "--block-signal"],
        &["env", "--block-signal", "--ignore-signal=CHLD"],
    ] {
        let mut command = with_conf(under(wrapper, &plugin(&scripts, "ADD", "delegate")), &scripts);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{wrapper:?}: {output:?}");
        let text = String::from_utf8(scripts.read("signals")).unwrap();
        let sets =
            text.lines().map(|line| u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap());
        // The C library keeps 32 and 33 for itself.
        let sets: Vec<_> = sets.map(|set| set & !(0b11 << 31)).collect();
        assert_eq!(sets, [0, 0], "{wrapper:?}: {text}");
    }
}

pub(crate) fn a_limit_on_files() {
    let scripts = Scripts::new();
    scripts.write("delegate", "echo '{}'", 0o755);
    let script = ["sh", "-c", "ulimit -f 0; exec \"$0\""];
    let command = under(&script, plugin(&scripts, "ADD", "delegate").env_remove("FAKE_LOG"));
    let output = with_conf(command, &scripts).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stdout).expect("one error object");
    assert!(error["details"].as_str().unwrap().contains("EFBIG"), "{error}");
}

/// The ends of a pipe and of a socket: the one for us, and the non-blocking one for the plugin.
fn streams(plugin_reads: bool) -> [(OwnedFd, OwnedFd); 2] {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
    let pipe = if plugin_reads { (writer, reader) } else { (reader, writer) };
    let (ours, theirs) = UnixStream::pair().unwrap();
    let streams = [pipe, (ours.into(), theirs.into())];
    streams.iter().for_each(|(_, theirs)| set_non_blocking(theirs));
    streams
}

fn set_non_blocking(fd: &impl AsFd) {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
}

/// Fills a stream until it takes no more.
fn fill(stream: &OwnedFd) -> usize {
    let mut file = File::from(stream.try_clone().unwrap());
    let mut filled = 0;
    loop {
        match file.write(&[b' '; 512]) {
            Ok(n) => filled += n,
            Err(e) => {
                assert_eq!(e.kind(), io::ErrorKind::WouldBlock);
                return filled;
            }
        }
    }
}

/// Waits until the process waits for something itself, or has ended.
fn until_it_waits(child: &Child) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next()
    };
    while !matches!(state(), Some('S' | 'Z')) {
        std::thread::yield_now();
    }
}

pub(crate) fn stdin_in_pieces() {
    for (ours, theirs) in streams(true) {
        let scripts = Scripts::new();
        let child = plugin(&scripts, "ADD", "").stdin(theirs).spawn().unwrap();
        let mut stdin = File::from(ours);
        for piece in CONF.as_bytes().chunks(20) {
            until_it_waits(&child);
            // One that has given up is told of below.
            let _ = stdin.write_all(piece);
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

pub(crate) fn a_full_stdout() {
    for (fake, code) in [("", None), ("fail", Some(7))] {
        for (ours, theirs) in streams(false) {
            let scripts = Scripts::new();
            let filled = fill(&theirs);
            let mut child = plugin(&scripts, "ADD", fake).stdout(theirs).spawn().unwrap();
            while scripts.log().is_empty() {
                std::thread::yield_now();
            }
            until_it_waits(&child);
            let mut text = Vec::new();
            File::from(ours).read_to_end(&mut text).unwrap();
            let status = child.wait().unwrap();
            assert_eq!(scripts.log(), "ADD", "nothing is taken back");
            assert_eq!(status.code(), Some(i32::from(code.is_some())));
            let document: Value = serde_json::from_slice(&text[filled..]).expect("the whole document");
            assert_eq!(document["code"].as_i64(), code);
        }
    }
}

pub(crate) fn a_full_stderr() {
    for (ours, theirs) in streams(false) {
        let scripts = Scripts::new();
        // As long as it is held up, the delegate has nothing to say.
        scripts.write("delegate", "echo a log line >&2; echo '{}'", 0o755);
        let filled = fill(&theirs);
        let mut child = plugin(&scripts, "ADD", "delegate-then-fail").stderr(theirs).spawn().unwrap();
        while scripts.log() != "ADD ADD" {
            std::thread::yield_now();
        }
        until_it_waits(&child);
        let mut text = Vec::new();
        File::from(ours).read_to_end(&mut text).unwrap();
        child.wait().unwrap();
        let lines = String::from_utf8_lossy(&text[filled..]).into_owned();
        assert_eq!(lines, "a log line\nundo: cannot undo this: not even that\n");
    }
}
