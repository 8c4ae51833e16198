//! T1: an executable starts and speaks the protocol.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(executable: &str, env: &[(&str, &str)], stdin: &[u8]) -> Output {
    let mut command = Command::new(executable);
    command.env_clear().envs(env.iter().copied());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{executable}: {e}"));
    // VERSION and the about line do not read stdin, so the pipe may be closed by now.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin);
    child.wait_with_output().expect("the plugin's output")
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("not one JSON document ({e}): {output:?}"))
}

/// VERSION answers with these specification versions.
pub fn version(executable: &str, versions: &[&str]) {
    let output = run(executable, &[("CNI_COMMAND", "VERSION")], b"");
    assert!(output.status.success(), "{output:?}");
    let all = serde_json::json!({ "cniVersion": "1.1.0", "supportedVersions": versions });
    assert_eq!(answer(&output), all, "{executable}");
}

/// Without `CNI_COMMAND` the plugin says who it is, on stderr only. Runtimes read its version from the first line,
/// which therefore holds nothing else.
pub fn about(executable: &str, name: &str) {
    let output = run(executable, &[], b"");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let line = format!("CNI {name} plugin v{}\n", env!("CARGO_PKG_VERSION"));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(&line), "{output:?}");
}

/// What is not one JSON object is code 6, with one error object on stdout and exit status 1.
pub fn bad_json(executable: &str) {
    let env = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "a"),
        ("CNI_NETNS", "/nonexistent"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nonexistent"),
    ];
    for stdin in [&b""[..], b"{", b"{}{}", b"{\"name\":\"\xff\"}", b"[]", b"\"x\"", b"{\"name\":7}"] {
        let output = run(executable, &env, stdin);
        let code = answer(&output)["code"].as_u64();
        assert_eq!((output.status.code(), code), (Some(1), Some(6)), "{stdin:?}: {output:?}");
    }
}
