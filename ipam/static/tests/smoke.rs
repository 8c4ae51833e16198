//! The executable starts and speaks the protocol.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(env: &[(&str, &str)], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_static"));
    command.env_clear().envs(env.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // VERSION and the about line do not read stdin, so the pipe may be closed by now.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn version_lists_every_version() {
    let output = run(&[("CNI_COMMAND", "VERSION")], b"");
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(reply["cniVersion"], "1.1.0");
    let all = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
    assert_eq!(reply["supportedVersions"], Value::from(all.as_slice()));
}

#[test]
fn without_a_command_the_about_line_goes_to_stderr() {
    let output = run(&[], b"");
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("CNI static plugin v"));
}

#[test]
fn bad_json_is_code_6() {
    let env = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "a"),
        ("CNI_NETNS", "/nonexistent"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nonexistent"),
    ];
    for stdin in [&b""[..], b"{", b"{}{}", b"{\"name\":\"\xff\"}", b"[]", b"\"x\"", b"{\"name\":7}"] {
        let output = run(&env, stdin);
        let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), reply["code"].as_u64()), (Some(1), Some(6)), "{stdin:?}: {reply}");
    }
}
