//! Running a delegate: how it is found, what it gets, what it may answer.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::scripts::Scripts;
use cni_skel::Delegates;
use cni_skel::delegate::{self, Verb};
use cni_types::{Code, PluginName};

fn name(name: &str) -> PluginName {
    PluginName::new(name).unwrap()
}

#[test]
fn the_first_directory_with_a_file_of_that_name_wins() {
    let (one, two, three) = (Scripts::new(), Scripts::with("exit 0"), Scripts::with("exit 0"));
    fs::create_dir(one.0.join("fake")).unwrap();
    let path = [one.0.clone(), two.0.clone(), three.0.clone()];
    assert_eq!(delegate::find(&name("fake"), &path).unwrap(), two.0.join("fake"), "a directory is no plugin");
    let elsewhere = one.0.join("linked");
    std::os::unix::fs::symlink(three.0.join("fake"), &elsewhere).unwrap();
    assert_eq!(delegate::find(&name("linked"), &path).unwrap(), elsewhere, "a link to a file is one");
    std::os::unix::fs::symlink("/nonexistent", one.0.join("dangling")).unwrap();
    for (missing, path) in [("dangling", &path[..]), ("other", &path), ("fake", &[]), ("fake", &["".into()])]
    {
        let error = delegate::find(&name(missing), path).unwrap_err();
        assert_eq!(error.code, Code::CONFIG);
        assert!(error.msg.starts_with(&format!("failed to find plugin \"{missing}\" in path [")), "{error}");
        assert!(path.iter().all(|dir| error.msg.contains(dir.to_str().unwrap())), "{error}");
    }
}

#[test]
fn what_cannot_be_executed_says_why() {
    let scripts = Scripts::new();
    scripts.write("noexec", "exit 0", 0o644);
    fs::write(scripts.0.join("nointerpreter"), "#!/nonexistent/sh\n").unwrap();
    fs::write(scripts.0.join("text"), "\u{1}no program\n").unwrap();
    for file in ["nointerpreter", "text"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(scripts.0.join(file), mode).unwrap();
    }
    for (file, errno, hint) in [
        ("noexec", "EACCES", "chmod +x"),
        ("nointerpreter", "ENOENT", "not the interpreter or loader"),
        ("text", "ENOEXEC", "no executable for this machine"),
    ] {
        let error = Delegates::default()
            .run(Verb::Add, &name(file), std::slice::from_ref(&scripts.0), b"{}")
            .unwrap_err();
        assert_eq!(error.code, Code::DELEGATE, "{error}");
        let path = scripts.0.join(file);
        assert_eq!(error.msg, format!("cannot run {} for ADD", path.display()));
        assert!(error.details.starts_with(errno) && error.details.contains(hint), "{error}");
    }
}

#[test]
fn only_the_command_changes_in_the_environment() {
    let scripts = Scripts::with("cat /proc/$$/environ >$DIR/environ");
    for (verb, text) in [
        (Verb::Add, "ADD"),
        (Verb::Check, "CHECK"),
        (Verb::Del, "DEL"),
        (Verb::Gc, "GC"),
        (Verb::Status, "STATUS"),
    ] {
        scripts.run(verb, b"{}").unwrap();
        let environ = scripts.read("environ");
        let mut given: Vec<&[u8]> = environ.split(|b| *b == 0).filter(|v| !v.is_empty()).collect();
        let mut wanted: Vec<Vec<u8>> = std::env::vars_os()
            .filter(|(name, _)| name != "CNI_COMMAND")
            .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
            .collect();
        wanted.push(format!("CNI_COMMAND={text}").into_bytes());
        given.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(given, wanted, "{text}");
    }
    assert_eq!(std::env::var_os("CNI_COMMAND"), None, "our own environment stays");
    let more = [("CNI_IFNAME", OsStr::new("eth7"))];
    Delegates::default()
        .run_with_env(Verb::Add, &name("fake"), std::slice::from_ref(&scripts.0), b"{}", &more)
        .unwrap();
    let environ = String::from_utf8_lossy(&scripts.read("environ")).into_owned();
    assert!(environ.split('\0').any(|v| v == "CNI_IFNAME=eth7"));
}

#[test]
fn stdin_is_the_configuration_byte_for_byte() {
    let scripts = Scripts::with("cat >$DIR/stdin");
    let large = format!("{{\"x\": \"{}\" }}\n\n", "\u{0}\u{1}ä".repeat(300_000)).into_bytes();
    for conf in [&b""[..], b"{}", b"{ \"z\":1,\t\"a\":2 }\r\n", &large] {
        scripts.run(Verb::Add, conf).unwrap();
        assert!(scripts.read("stdin") == conf, "{} bytes", conf.len());
    }
    let deaf = Scripts::with("echo '{}'");
    assert_eq!(deaf.run(Verb::Add, &large).unwrap(), b"{}\n", "one that never reads it blocks nobody");
}

#[test]
fn a_failure_is_the_delegates_own_error_object_or_a_text_of_its_kind() {
    for (body, code, msg, details) in [
        (r#"echo '{"code":104,"msg":"full","details":"d"}'; exit 1"#, 104, "full", "d"),
        (r#"echo '{"cniVersion":"0.4.0","CODE":7,"Msg":"m","x":1}'; echo log >&2; exit 2"#, 7, "m", ""),
        (r#"echo '{"code":11,"details":"only d"}'; exit 1"#, 11, "", "only d"),
        (r#"echo '{"code":0,"msg":"m"}'; exit 1"#, 102, "m", ""),
        (r#"echo '{"code":7,"msg":"m"}'; kill -9 $$"#, 7, "m", ""),
        ("exit 3", 102, "plugin fake failed on ADD", "exit status: 3 without any output"),
        ("kill -9 $$", 102, "plugin fake failed on ADD", "signal: 9 (SIGKILL) without any output"),
        (
            "echo ' no luck' >&2; exit 1",
            102,
            "plugin fake failed on ADD",
            "exit status: 1, stderr: \"no luck\"",
        ),
        (
            "echo 'no json'; echo log >&2; exit 1",
            102,
            "plugin fake failed on ADD",
            "exit status: 1, and its answer is no CNI error object: \"no json\"",
        ),
        (
            r#"echo '{"code":7}'; exit 1"#,
            102,
            "plugin fake failed on ADD",
            r#"exit status: 1, and its answer is no CNI error object: "{\"code\":7}""#,
        ),
        (
            r#"echo '{"code":-1,"msg":"m"}'; exit 1"#,
            102,
            "plugin fake failed on ADD",
            r#"exit status: 1, and its answer is no CNI error object: "{\"code\":-1,\"msg\":\"m\"}""#,
        ),
    ] {
        let error = Scripts::with(body).run(Verb::Add, b"{}").unwrap_err();
        assert_eq!(
            (error.code.0, error.msg.as_str(), error.details.as_str()),
            (code, msg, details),
            "{body}"
        );
    }
}

#[test]
fn megabytes_on_either_stream_neither_block_nor_fill_the_error() {
    let flood = "head -c 5000000 /dev/zero | tr '\\0' x";
    let fine = Scripts::with(&format!("{flood} >&2; {flood}; {flood} >&2")).run(Verb::Add, b"{}").unwrap();
    assert!(fine.len() == 5_000_000 && fine.iter().all(|b| *b == b'x'));
    for body in [format!("{flood}; exit 1"), format!("{flood} >&2; exit 1")] {
        let error = Scripts::with(&body).run(Verb::Add, b"{}").unwrap_err();
        assert!(error.details.len() < 1200, "{} bytes", error.details.len());
    }
    let error = Scripts::with("cat /dev/zero").run(Verb::Add, b"{}").unwrap_err();
    assert!(error.details.contains("more than 16777216 bytes"), "{error}");
}

#[test]
fn a_process_the_delegate_leaves_behind_holds_nobody_up() {
    let scripts = Scripts::with("sleep 600 & echo $! >$DIR/pid; echo '{}'");
    assert_eq!(scripts.run(Verb::Add, b"{}").unwrap(), b"{}\n");
    let pid = String::from_utf8(scripts.read("pid")).unwrap();
    let killed = Command::new("kill").arg(pid.trim()).status().unwrap();
    assert!(killed.success(), "it was still running");
}
