//! The environment of an invocation: what each verb needs, what is validated, in which order it is complained about.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::fake::{CONF, Fake, Untouchable, env, run, run_with};

const GC_CONF: &str = r#"{"cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":[]}"#;
/// Variable names and the verbs that require them, in the order they are reported.
const REQUIRED: [(&str, &[&str]); 4] = [
    ("CNI_CONTAINERID", &["ADD", "CHECK", "DEL"]),
    ("CNI_NETNS", &["ADD", "CHECK"]),
    ("CNI_IFNAME", &["ADD", "CHECK", "DEL"]),
    ("CNI_PATH", &["ADD", "CHECK", "DEL", "GC", "STATUS"]),
];
const VERBS: [&str; 5] = ["ADD", "CHECK", "DEL", "GC", "STATUS"];

#[test]
fn each_verb_needs_its_row_of_the_table_and_no_more() {
    for verb in VERBS {
        for (name, needed_by) in REQUIRED {
            for empty in [false, true] {
                let mut env = env(verb);
                env.retain(|(n, _)| *n != name);
                env.extend(empty.then_some((name, "")));
                let plugin = Fake::fine();
                let outcome = run(&plugin, &env, GC_CONF.as_bytes());
                if needed_by.contains(&verb) {
                    let msg = format!("required env variables [{name}] missing");
                    assert_eq!(outcome.error(), (4, msg, String::new()), "{verb} without {name}");
                    assert!(plugin.calls.borrow().is_empty());
                } else {
                    assert_eq!(outcome.status, 0, "{verb} without {name}: {}", outcome.stdout);
                    assert_eq!(plugin.calls.borrow().len(), 1);
                }
            }
        }
    }
}

#[test]
fn all_missing_names_come_at_once_and_before_stdin() {
    for verb in VERBS {
        let names: Vec<_> =
            REQUIRED.iter().filter(|(_, v)| v.contains(&verb)).map(|(name, _)| *name).collect();
        let lookup = |name: &str| (name == "CNI_COMMAND").then(|| OsString::from(verb));
        let outcome = run_with(&Fake::fine(), &lookup, &mut Untouchable);
        let msg = format!("required env variables [{}] missing", names.join(","));
        assert_eq!(outcome.error(), (4, msg, String::new()), "{verb}");
    }
}

#[test]
fn gc_and_status_work_with_command_and_path_alone() {
    for verb in ["GC", "STATUS"] {
        let plugin = Fake::fine();
        // The rest is not theirs, so it is not validated either.
        let env =
            [("CNI_COMMAND", verb), ("CNI_PATH", "/x"), ("CNI_CONTAINERID", "../x"), ("CNI_IFNAME", "a/b")];
        for env in [&env[..2], &env] {
            let outcome = run(&plugin, env, GC_CONF.as_bytes());
            assert_eq!((outcome.status, outcome.stdout.as_str()), (0, ""), "{verb}");
        }
        assert_eq!(plugin.calls.borrow().len(), 2);
    }
}

#[test]
fn a_value_that_is_present_but_invalid_goes_before_what_is_missing() {
    let long = "x".repeat(300);
    for (name, value, msg) in [
        ("CNI_CONTAINERID", "../x", "CNI_CONTAINERID"),
        ("CNI_CONTAINERID", "/", "CNI_CONTAINERID"),
        ("CNI_CONTAINERID", long.as_str(), "CNI_CONTAINERID"),
        ("CNI_IFNAME", "0123456789abcdef", "CNI_IFNAME: invalid interface name: it is longer than 15 bytes"),
        ("CNI_IFNAME", "..", "CNI_IFNAME"),
        ("CNI_IFNAME", "a/b", "CNI_IFNAME"),
    ] {
        for verb in ["ADD", "CHECK", "DEL"] {
            let outcome = run(&Fake::fine(), &[("CNI_COMMAND", verb), (name, value)], CONF.as_bytes());
            let (code, text, details) = outcome.error();
            assert!(code == 4 && text.contains(msg), "{verb} {name}={value}: {text}");
            assert!(details.contains(&value[..1]) && details.len() < 400, "the value is quoted: {details}");
        }
    }
}

#[test]
fn an_unknown_command_is_told_so_only_after_stdin_and_name_are_looked_at() {
    let unknown = [("CNI_COMMAND", "FROB")];
    for (stdin, code, text) in [
        ("", 6, "error unmarshall-ing network config"),
        (r#"{"cniVersion":"1.1.0"}"#, 7, "missing network name"),
        (r#"{"name":"../x"}"#, 7, "invalid characters"),
        (r#"{"name":"net","cniVersion":"9.9"}"#, 4, "unknown CNI_COMMAND: FROB"),
    ] {
        let (given, msg, _) = run(&Fake::fine(), &unknown, stdin.as_bytes()).error();
        assert!(given == code && msg.contains(text), "{stdin}: {given} {msg}");
    }
    let (_, msg, _) = run(&Fake::fine(), &[("CNI_COMMAND", "add")], CONF.as_bytes()).error();
    assert_eq!(msg, "unknown CNI_COMMAND: add", "runtimes match this text");
}

#[test]
fn version_needs_nothing_else_and_never_reads_stdin() {
    for rest in [&[][..], &[("CNI_CONTAINERID", "../x"), ("CNI_NETNS", "dummy"), ("CNI_IFNAME", "a/b")]] {
        let env = |name: &str| {
            let command = [("CNI_COMMAND", "VERSION")];
            command.iter().chain(rest).find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        };
        let outcome = run_with(&Fake::fine(), &env, &mut Untouchable);
        assert_eq!(outcome.status, 0);
        assert_eq!(
            outcome.stdout,
            "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\
             \"1.0.0\",\"1.1.0\"]}\n"
        );
    }
}

#[test]
fn without_a_command_the_plugin_introduces_itself_on_stderr() {
    for command in [None, Some("")] {
        let env = |name: &str| command.filter(|_| name == "CNI_COMMAND").map(OsString::from);
        let outcome = run_with(&Fake::fine(), &env, &mut Untouchable);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (0, ""));
        assert_eq!(
            outcome.stderr,
            "CNI fake plugin v2.0.0\n\
             CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n\
             CNI plugins in Rust\n"
        );
    }
}

#[test]
fn text_that_is_not_utf_8_matters_only_where_it_is_used() {
    let bad = OsString::from_vec(vec![b'a', 0xff]);
    for (name, wanted) in [("CNI_CONTAINERID", Some(4)), ("CNI_IFNAME", Some(4)), ("CNI_ARGS", None)] {
        let env = |n: &str| {
            if n == name {
                Some(bad.clone())
            } else {
                env("DEL").iter().find(|e| e.0 == n).map(|e| e.1.into())
            }
        };
        let outcome = run_with(&Fake::fine(), &env, &mut CONF.as_bytes());
        if let Some(code) = wanted {
            assert_eq!(outcome.error().0, code, "{name}");
        } else {
            assert_eq!(outcome.status, 0, "{name}: {}", outcome.stdout);
        }
    }
}
