//! `cnitool trace`: lines as they come, whatever becomes of their file.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::kit::TempDir;

/// The line of a run of the container, most of which was a wait.
fn line(container: &str) -> String {
    format!(
        "{{\"time\":\"2026-11-28T06:59:59.000000001Z\",\"plugin\":\"bridge\",\"verb\":\"ADD\",\"network\":\"net\",\
         \"container_id\":\"{container}\",\"ifname\":\"eth0\",\"outcome\":\"done\",\"took_ns\":9000000,\"phases\":[\
         {{\"name\":\"start\",\"at_ns\":0,\"took_ns\":1000000,\"alone_ns\":1000000}},\
         {{\"name\":\"wait\",\"at_ns\":1000000,\"took_ns\":8000000,\"alone_ns\":8000000}}]}}\n"
    )
}

fn append(file: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(file).unwrap()
}

#[test]
fn lines_are_followed_into_a_file_that_appears_is_put_aside_and_emptied() {
    let dir = TempDir::new();
    let (log, aside) = (dir.0.join("log"), dir.0.join("log.1"));
    let missing = Command::new(env!("CARGO_BIN_EXE_cnitool")).arg("trace").arg(&log).output().unwrap();
    assert!(
        !missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("ENOENT"),
        "{missing:?}"
    );

    let mut cnitool = Command::new(env!("CARGO_BIN_EXE_cnitool"));
    let mut cnitool = cnitool.args(["trace", "-f"]).arg(&log).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(cnitool.stdout.take().unwrap());
    let mut comes = |container: &str| {
        let mut text = String::new();
        shown.read_line(&mut text).unwrap();
        let wanted = format!("net/{container}/eth0  done  9.0 ms: start 1.0, *wait 8.0*\n");
        assert!(text.starts_with("2026-11-28T06:59:59.000 bridge") && text.ends_with(&wanted), "{text}");
    };
    // It appears, a line comes in two parts, and what is no line is none.
    let mut first = append(&log);
    let text = line("first");
    first.write_all(&text.as_bytes()[..40]).unwrap();
    first.write_all(&text.as_bytes()[40..]).unwrap();
    first.write_all(b"not a line\n").unwrap();
    comes("first");
    // It is put aside: what was written last is read, too, before the new one.
    first.write_all(line("late").as_bytes()).unwrap();
    fs::rename(&log, &aside).unwrap();
    append(&log).write_all(line("second").as_bytes()).unwrap();
    comes("late");
    comes("second");
    // It is emptied in its place.
    append(&log).write_all(line("third").as_bytes()).unwrap();
    comes("third");
    append(&log).set_len(0).unwrap();
    append(&log).write_all(line("fourth").as_bytes()).unwrap();
    comes("fourth");
    kill(Pid::from_raw(cnitool.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(cnitool.wait().unwrap().signal(), Some(Signal::SIGINT as i32));
    let mut rest = String::new();
    assert_eq!(shown.read_line(&mut rest).unwrap(), 0, "{rest}");
}
