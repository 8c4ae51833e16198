//! The executable: environment, exit status, streams. Its cache is in a `/var/lib` of the test's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::kit::{Bench, RESULT};
use serde_json::Value;

const CNITOOL: &str = env!("CARGO_BIN_EXE_cnitool");
/// Covers `/var/lib` in a mount namespace of its own, where `$1` stands in for `/var/lib/cni`.
const OWN_VAR_LIB: &str = r#"
    keep=$1; shift
    mkdir -p "$keep" && mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/cni && mount --bind "$keep" /var/lib/cni &&
    exec "$@""#;
/// `printf /run/netns/a | sha512sum | cut -c1-20`
const ID: &str = "cnitool-a145bc1ace582bff43bd";

fn tool(bench: &Bench, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let conf = bench.dir.0.join("net.d");
    fs::create_dir_all(&conf).unwrap();
    let list =
        r#"{"cniVersion":"1.1.0","name":"net1","plugins":[{"type":"first","capabilities":{"mac":true}}]}"#;
    fs::write(conf.join("10-net1.conflist"), list).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", OWN_VAR_LIB, "sh"]);
    command.arg(bench.dir.0.join("cni")).arg(CNITOOL).args(arguments);
    for name in ["CNI_ARGS", "CAP_ARGS", "CNI_IFNAME"] {
        command.env_remove(name);
    }
    command.env("NETCONFPATH", conf).env("CNI_PATH", &bench.path).envs(env.iter().copied());
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}: {}", output.status, stderr(output));
}

#[test]
fn add_prints_the_result_and_the_environment_reaches_the_plugin() {
    let bench = Bench::new(&["first"]);
    let env = [
        ("CNI_ARGS", "IP=10.1.2.3;K=v"),
        ("CAP_ARGS", r#"{"mac":"02:00:00:00:00:01"}"#),
        ("CNI_IFNAME", "net0"),
    ];
    let added = tool(&bench, &["add", "net1", "/run/netns/a"], &env);
    succeeds(&added);
    let result: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!(result, serde_json::from_str::<Value>(RESULT).unwrap());
    let call = &bench.calls()[0];
    assert_eq!(call.env, format!("{ID} /run/netns/a net0 IP=10.1.2.3;K=v {}", bench.path.display()));
    assert!(call.stdin.contains(r#""runtimeConfig":{"mac":"02:00:00:00:00:01"}"#), "{}", call.stdin);
    assert_eq!(bench.cache_files(), [format!("net1-{ID}-net0")]);
}

#[test]
fn every_verb_of_an_attachment_is_silent_when_it_succeeds() {
    let bench = Bench::new(&["first"]);
    succeeds(&tool(&bench, &["add", "net1", "/run/netns/a"], &[]));
    for arguments in [
        &["check", "net1", "/run/netns/../netns/a"][..],
        &["status", "net1"],
        &["del", "net1", "/run/netns/a"],
    ] {
        let output = tool(&bench, arguments, &[]);
        succeeds(&output);
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}: {}", stderr(&output));
    }
    // It removes without being asked again: what, it says.
    let gc = tool(&bench, &["gc", "--keep", "none", "net1"], &[]);
    succeeds(&gc);
    assert_eq!((&*gc.stdout, &*gc.stderr), (&b"net1: everything goes\n"[..], &b""[..]));
    let calls: Vec<_> = bench.calls().into_iter().map(|call| call.verb).collect();
    assert_eq!(calls, ["ADD", "CHECK", "STATUS", "DEL", "GC"]);
    assert_eq!(bench.cache_files(), [""; 0]);
}

#[test]
fn gc_detaches_everything_the_network_has() {
    let bench = Bench::new(&["first"]);
    succeeds(&tool(&bench, &["add", "net1", "/run/netns/a"], &[]));
    succeeds(&tool(&bench, &["add", "-i", "net7", "net1", "/run/netns/a"], &[]));
    bench.forget_calls();
    succeeds(&tool(&bench, &["gc", "--keep", "none", "net1"], &[]));
    let calls: Vec<_> = bench.calls().into_iter().map(|call| call.verb).collect();
    assert_eq!(calls, ["DEL", "DEL", "GC"]);
    assert_eq!(bench.cache_files(), [""; 0]);
}

#[test]
fn failures_are_one_text_on_stderr_and_exit_1() {
    let bench = Bench::new(&["first"]);
    bench.fail("first", "ADD", r#"{"code":11,"msg":"busy","details":"held by 1"}"#);
    for (arguments, env, gist) in [
        (
            &["add", "net1", "/run/netns/a"][..],
            ("", ""),
            "plugin type=\"first\" failed (add): busy: held by 1",
        ),
        (&["add", "net2", "/run/netns/a"], ("", ""), "no net configuration with name \"net2\" in /"),
        (&["check", "net1", "/run/netns/a"], ("", ""), "no cached result"),
        (&["add", "net1", "/run/netns/a"], ("CNI_ARGS", "IP"), "invalid CNI_ARGS pair \"IP\""),
        (&["add", "net1", "/run/netns/a"], ("CAP_ARGS", "[]"), "CAP_ARGS is no JSON object"),
        (&["add", "net1", "/run/netns/a"], ("CNI_IFNAME", "a/b"), "CNI_IFNAME: invalid interface name"),
        (
            &["add", "net1", "/run/netns/a"],
            ("CNI_IFNAME", ""),
            "CNI_IFNAME: invalid interface name: it is empty",
        ),
        (&["add", "--ifname=", "net1", "/run/netns/a"], ("", ""), "invalid interface name: it is empty"),
        (
            &["add", "net1", "/run/netns/a"],
            ("CNI_PATH", "/nowhere"),
            "failed to find plugin \"first\" in path [/nowhere]",
        ),
        (&["add", "net1"], ("", ""), "usage: cnitool add [-i NAME] [--no-validate] <network> <netns>"),
    ] {
        let env = [env];
        let output = tool(&bench, arguments, if env[0].0.is_empty() { &[] } else { &env });
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(stderr(&output).contains(gist), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn capability_args_reach_plugins_as_libcni_writes_them_and_unused_ones_are_warned_about() {
    let bench = Bench::new(&["first"]);
    let arguments = ["add", "net1", "/run/netns/a"];
    let runtime_config = |args: &str| {
        bench.forget_calls();
        let output = tool(&bench, &arguments, &[("CAP_ARGS", args)]);
        succeeds(&output);
        let stdin: Value = serde_json::from_str(&bench.calls()[0].stdin).unwrap();
        (stdin.get("runtimeConfig").map(Value::to_string), stderr(&output))
    };
    let mac = |text: &str| Some(format!(r#"{{"mac":{text}}}"#));
    assert_eq!(runtime_config("null"), (None, String::new()));
    assert_eq!(runtime_config("{}"), (None, String::new()));
    assert_eq!(runtime_config(r#"{"mac":1e+09}"#), (mac("1000000000"), String::new()));
    assert_eq!(runtime_config(r#"{"mac":[1400.0,"\ud800"]}"#), (mac("[1400,\"\u{fffd}\"]"), String::new()));
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    succeeds(&tool(&bench, &arguments, &[("CAP_ARGS", &format!(r#"{{"mac":{deep}}}"#))]));
    assert!(bench.calls()[1].stdin.contains(&deep), "{}", bench.calls()[1].stdin);
    succeeds(&tool(&bench, &["check", "net1", "/run/netns/a"], &[]));
    let (given, warning) = runtime_config(r#"{"mca":1,"portMappings":[]}"#);
    assert_eq!(given, None);
    let lines: Vec<&str> = warning.lines().collect();
    assert_eq!(
        lines,
        [
            r#"warning: CAP_ARGS: no plugin of network net1 declares the capability "mca": did you mean "mac"?"#,
            r#"warning: CAP_ARGS: no plugin of network net1 declares the capability "portMappings": declared are mac"#
        ]
    );
}

#[test]
fn the_version_is_told_without_any_network() {
    let bench = Bench::new(&[]);
    let output = tool(&bench, &["--version"], &[]);
    succeeds(&output);
    let text = String::from_utf8(output.stdout).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        format!(
            "cnitool v{version}\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n"
        )
    );
}

/// What bash offers for the words of a command line; the last is being written.
fn completed(bench: &Bench, line: &[&str]) -> Vec<String> {
    let script = "eval \"$(cnitool completions bash)\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _cnitool; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = format!("{}:{}", Path::new(CNITOOL).parent().unwrap().display(), env!("PATH"));
    let mut command = Command::new("bash");
    command.args(["-ec", script, "bash"]).args(line).env("PATH", path);
    let output = command.env("NETCONFPATH", bench.dir.0.join("net.d")).output().unwrap();
    succeeds(&output);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_verbs_options_and_networks() {
    let bench = Bench::new(&[]);
    // Makes the network net1.
    succeeds(&tool(&bench, &["help"], &[]));
    assert_eq!(completed(&bench, &["cnitool", "c"]), ["check", "completions"]);
    assert_eq!(completed(&bench, &["cnitool", "add", "ne"]), ["net1"]);
    assert_eq!(completed(&bench, &["cnitool", "install", "--o"]), ["--only-missing"]);
    assert_eq!(completed(&bench, &["cnitool", "completions", "f"]), ["fish"]);
    let help = tool(&bench, &["help"], &[]);
    for line in String::from_utf8(help.stdout).unwrap().lines().filter_map(|l| l.strip_prefix("  cnitool ")) {
        let verb = line.split_whitespace().next().unwrap();
        assert!(completed(&bench, &["cnitool", verb]).contains(&verb.to_owned()), "{verb} is not completed");
    }
}
