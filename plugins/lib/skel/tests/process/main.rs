//! A plugin as the process it is in life: its streams, its exit status, its namespace. This test runs itself as the
//! plugin, so it has a plugin's `main`.
#![no_main]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod in_process;
mod inherited;
mod plugin;
#[path = "../api/scripts/mod.rs"]
mod scripts;

use std::ffi::{OsStr, c_char, c_int};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use scripts::Scripts;
use serde_json::Value;

const CONF: &str = r#"{"cniVersion":"1.1.0","name":"net"}"#;

cni_skel::notes!("delegate");

// Reason for `unsafe`: it is what `plugin_main!` expands to, with the tests in front.
#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    if std::env::var_os("CNI_COMMAND").is_some() {
        // SAFETY: these are the C main's own.
        let arguments = unsafe { cni_skel::arguments(argc, argv) };
        if arguments[0].ends_with("/delegate") {
            return cni_skel::start(&in_process::Delegate, &[]);
        }
        return cni_skel::start(&plugin::Fake, &[&in_process::Delegate]);
    }
    let tests: [(&str, fn()); 16] = [
        ("a_delegate_of_this_build_is_called_and_it_makes_no_difference", in_process::called_and_executed),
        ("the_result_is_one_write", the_result_is_one_write),
        ("a_stdout_that_takes_nothing_has_the_attachment_taken_back", a_stdout_that_takes_nothing),
        ("closed_streams_are_not_mistaken_for_files", closed_streams_are_not_mistaken),
        ("a_stdin_of_the_wrong_kind_is_an_io_error", a_stdin_of_the_wrong_kind),
        ("a_closed_stderr_changes_nothing", a_closed_stderr_changes_nothing),
        ("a_panic_leaves_one_error_object_and_status_1", a_panic_leaves_one_error_object),
        ("a_delegates_log_is_passed_on_when_it_succeeds_only", a_delegates_log_is_passed_on),
        ("the_trace_context_reaches_a_delegate", the_trace_context_reaches_a_delegate),
        ("the_environment_may_be_any_bytes", the_environment_may_be_any_bytes),
        ("only_the_own_namespace_is_refused", only_the_own_namespace_is_refused),
        ("ignored_and_blocked_signals_change_nothing_for_us_and_our_delegates", inherited::signals),
        ("a_limit_on_the_size_of_files_is_an_error_and_kills_nobody", inherited::a_limit_on_files),
        ("a_non_blocking_stdin_may_come_later_and_in_pieces", inherited::stdin_in_pieces),
        ("a_non_blocking_stdout_that_is_full_is_waited_for", inherited::a_full_stdout),
        ("a_non_blocking_stderr_that_is_full_loses_no_line", inherited::a_full_stderr),
    ];
    // The parts of the test runner's command line that cargo and nextest use.
    let args: Vec<_> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|a| a == flag);
    let filters: Vec<_> = args.iter().filter(|a| !a.starts_with('-') && *a != "terse").collect();
    let wanted = |name: &str| {
        filters.is_empty()
            || filters.iter().any(|f| if has("--exact") { name == *f } else { name.contains(*f) })
    };
    let tests: Vec<_> = tests.iter().filter(|(name, _)| wanted(name) && !has("--ignored")).collect();
    if has("--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return 0;
    }
    println!("\nrunning {} tests", tests.len());
    for (name, test) in &tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed;\n", tests.len());
    0
}

/// This executable as a plugin, logging its verbs in `scripts`.
fn plugin(scripts: &Scripts, verb: &str, fake: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env("CNI_COMMAND", verb).env("CNI_CONTAINERID", "a").env("CNI_NETNS", "/nonexistent");
    command.env("CNI_IFNAME", "eth0").env("CNI_PATH", &scripts.0);
    command.env("FAKE", fake).env("FAKE_LOG", scripts.0.join("log"));
    let conf = scripts.0.join("conf");
    fs::write(&conf, CONF).unwrap();
    command.stdin(File::open(conf).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The run's error code and details, its stderr.
fn error(command: &mut Command) -> (u64, String, String) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).expect("exactly one JSON document");
    let details = object["details"].as_str().unwrap_or_default().to_owned();
    (object["code"].as_u64().unwrap(), details, String::from_utf8(output.stderr).unwrap())
}

fn the_result_is_one_write() {
    let scripts = Scripts::new();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let status = plugin(&scripts, "ADD", "").stdout(OwnedFd::from(theirs)).status().unwrap();
    assert!(status.success());
    let mut datagram = vec![0; 1 << 20];
    let n = ours.recv(&mut datagram).unwrap();
    let result: Value = serde_json::from_slice(&datagram[..n]).expect("the first write is the whole result");
    assert_eq!(result["ips"].as_array().unwrap().len(), 200);
    ours.set_nonblocking(true).unwrap();
    let more = ours.recv(&mut datagram).map_err(|e| e.kind());
    assert!(
        matches!(more, Ok(0) | Err(io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionReset)),
        "{more:?}"
    );
}

fn a_stdout_that_takes_nothing() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::os::unix::net::UnixStream::pair().unwrap();
    drop(reader);
    let read_only = File::open("/dev/null").unwrap();
    for (stdout, errno) in
        [(full.into(), "ENOSPC"), (OwnedFd::from(closed), "EPIPE"), (read_only.into(), "EBADF")]
    {
        let scripts = Scripts::new();
        let output = plugin(&scripts, "ADD", "").stdout(stdout).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{errno}: {output:?}");
        assert_eq!(scripts.log(), "ADD DEL", "{errno}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("cannot write the result to stdout") && stderr.contains(errno), "{stderr}");
    }
}

fn closed_streams_are_not_mistaken() {
    for (closed, verbs) in
        [("<&-", ""), (">&-", "ADD DEL"), ("2>&-", "ADD"), ("<&- >&- 2>&-", ""), (">&- 2>&-", "ADD DEL")]
    {
        let scripts = Scripts::new();
        let mut shell = plugin(&scripts, "ADD", "hold");
        let plugin = std::env::current_exe().unwrap();
        let mut env: Vec<_> = shell.get_envs().map(|(k, v)| (k.to_owned(), v.unwrap().to_owned())).collect();
        env.push(("PLUGIN".into(), plugin.into()));
        shell = Command::new("sh");
        shell.env_clear().envs(env).args(["-c", &format!("exec \"$PLUGIN\" {closed}")]);
        shell.stdin(File::open(scripts.0.join("conf")).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        assert_eq!(shell.status().unwrap().success(), closed == "2>&-", "{closed}");
        assert_eq!(
            (scripts.log().as_str(), scripts.read("log.held").as_slice()),
            (verbs, &b""[..]),
            "{closed}"
        );
    }
}

fn a_stdin_of_the_wrong_kind() {
    let scripts = Scripts::new();
    let write_only = File::options().write(true).open("/dev/null").unwrap();
    for (stdin, errno) in [(File::open("/").unwrap(), "EISDIR"), (write_only, "EBADF")] {
        let (code, details, _) = error(plugin(&scripts, "ADD", "").stdin(stdin));
        assert!(code == 5 && details.starts_with(errno), "{errno}: {code} {details}");
    }
    assert_eq!(scripts.log(), "");
}

fn a_closed_stderr_changes_nothing() {
    let scripts = Scripts::new();
    for (fake, code) in [("fail", 7), ("panic", 999)] {
        let (reader, closed) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(reader);
        assert_eq!(error(plugin(&scripts, "ADD", fake).stderr(OwnedFd::from(closed))).0, code);
    }
}

fn a_panic_leaves_one_error_object() {
    let (code, details, stderr) = error(&mut plugin(&Scripts::new(), "ADD", "panic"));
    assert_eq!((code, details.as_str()), (999, "on purpose"));
    assert!(stderr.contains("undo: cannot undo this: not even that"), "{stderr}");
}

fn a_delegates_log_is_passed_on() {
    let scripts = Scripts::new();
    scripts.write("delegate", "echo a log line >&2; echo '{}'", 0o755);
    let output = plugin(&scripts, "ADD", "delegate").output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b"a log line\n"[..]));
    scripts.write("delegate", "echo a log line >&2; exit 1", 0o755);
    let (code, details, stderr) = error(&mut plugin(&scripts, "ADD", "delegate"));
    assert!(code == 102 && details.contains("a log line"), "{details}");
    assert!(!stderr.contains("a log line"), "{stderr}");
}

/// W3C trace context and baggage, as OpenTelemetry names them in an environment: a delegate belongs to the same trace.
fn the_trace_context_reaches_a_delegate() {
    let context = [
        ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("TRACESTATE", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ("BAGGAGE", "pod=web-0,node=a;ttl=1"),
    ];
    let scripts = Scripts::new();
    scripts.write("delegate", "cat /proc/$$/environ >$DIR/environ; echo '{}'", 0o755);
    let output = plugin(&scripts, "ADD", "delegate").envs(context).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let environ = String::from_utf8(scripts.read("environ")).unwrap();
    for (name, value) in context {
        assert!(environ.split('\0').any(|pair| pair == format!("{name}={value}")), "{name}: {environ:?}");
    }
}

fn the_environment_may_be_any_bytes() {
    let scripts = Scripts::new();
    let bytes = OsStr::from_bytes(b"\xff\xfe");
    for (name, code) in [("CNI_CONTAINERID", 4), ("CNI_IFNAME", 4), ("CNI_COMMAND", 4)] {
        assert_eq!(error(plugin(&scripts, "ADD", "").env(name, bytes)).0, code, "{name}");
    }
    for name in ["CNI_ARGS", "CNI_NETNS", "CNI_PATH", "CNI_NETNS_OVERRIDE"] {
        assert!(plugin(&scripts, "DEL", "").env(name, bytes).status().unwrap().success(), "{name}");
    }
}

fn only_the_own_namespace_is_refused() {
    let scripts = Scripts::new();
    for verb in ["ADD", "DEL"] {
        assert_eq!(error(plugin(&scripts, verb, "").env("CNI_NETNS", "/proc/self/ns/net")).0, 8);
        assert_eq!(error(plugin(&scripts, verb, "").env("CNI_NETNS", "/proc/thread-self/ns/net")).0, 8);
    }
    assert_eq!(scripts.log(), "");
    let mut unshare = Command::new("unshare");
    unshare.args(["-Urn", "sh", "-c", "echo ready; read wait"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut other = Ended(unshare.spawn().unwrap());
    let mut line = [0; 6];
    if other.0.stdout.take().unwrap().read_exact(&mut line).is_err() {
        assert_ne!(std::env::var("CNI_TEST_STRICT").as_deref(), Ok("1"), "unshare -Urn does not work here");
        println!("skipped in part: unshare -Urn does not work here, so there is no other namespace to try");
        return;
    }
    let netns = format!("/proc/{}/ns/net", other.0.id());
    for verb in ["ADD", "DEL"] {
        assert!(plugin(&scripts, verb, "").env("CNI_NETNS", &netns).status().unwrap().success(), "{verb}");
    }
    assert_eq!(scripts.log(), "ADD DEL");
}

/// A process that ends with the value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
