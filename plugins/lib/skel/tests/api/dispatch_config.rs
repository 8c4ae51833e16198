//! The configuration on stdin: the order of the checks, and the version gates of each verb.

use std::ffi::OsString;
use std::io::{self, Read};

use crate::fake::{Broken, Fake, env, run, run_with};
use cni_types::SpecVersion;

#[test]
fn bad_input_has_its_code_and_reaches_no_callback() {
    let long = format!(r#"{{"cniVersion":"1.1.0","name":"{}"}}"#, "n".repeat(300));
    for (stdin, code, text) in [
        ("", 6, "nothing on stdin"),
        (" \n", 6, "nothing on stdin"),
        ("{\"name\":\"net\"", 6, "not valid JSON"),
        ("{\"name\":\"net\"}{}", 6, "not valid JSON"),
        ("\u{feff}{\"name\":\"net\"}", 6, "not valid JSON"),
        (r#"{"name":7}"#, 6, "key \"name\""),
        ("[]", 6, "expected an object"),
        (r#"{"name":"net","cniVersion":1}"#, 6, "key \"cniVersion\""),
        ("null", 7, "missing network name"),
        (r#"{"cniVersion":"9.9.9"}"#, 7, "missing network name"),
        (r#"{"name":""}"#, 7, "missing network name"),
        (r#"{"name":"../x"}"#, 7, "invalid characters"),
        (r#"{"name":"/"}"#, 7, "invalid characters"),
        (r#"{"name":"a\u0000"}"#, 7, "invalid characters"),
        (long.as_str(), 7, "255 bytes"),
        (r#"{"name":"net","cniVersion":"9.9.9"}"#, 1, "incompatible CNI versions"),
        (r#"{"name":"net","cniVersion":"x"}"#, 1, "incompatible CNI versions"),
    ] {
        for verb in ["ADD", "DEL"] {
            let plugin = Fake::fine();
            let (given, msg, _) = run(&plugin, &env(verb), stdin.as_bytes()).error();
            assert!(given == code && msg.contains(text), "{stdin}: {given} {msg}");
            assert!(plugin.calls.borrow().is_empty(), "{stdin}");
        }
    }
}

#[test]
fn gc_without_a_list_frees_nothing_and_says_so_and_an_empty_one_is_a_list() {
    for (list, reaches) in [
        ("", false),
        (r#","cni.dev/valid-attachments":[]"#, true),
        (r#","cni.dev/valid-attachments":null"#, true),
        (r#","cni.dev/attachments":null"#, true),
    ] {
        let plugin = Fake::fine();
        let conf = format!(r#"{{"cniVersion":"1.1.0","name":"net"{list}}}"#);
        let outcome = run(&plugin, &env("GC"), conf.as_bytes());
        assert_eq!((outcome.status, outcome.stdout.as_str()), (0, ""), "{list}");
        assert_eq!(outcome.stderr.contains("freed nothing") && outcome.stderr.contains("net"), !reaches);
        assert_eq!(plugin.calls.borrow().len(), usize::from(reaches), "{list}");
    }
}

#[test]
fn a_stdin_that_cannot_be_read_or_never_ends_is_an_error() {
    let lookup = |name: &str| env("ADD").iter().find(|e| e.0 == name).map(|e| OsString::from(e.1));
    let outcome =
        run_with(&Fake::fine(), &lookup, &mut Broken { room: 0, recovers: false, taken: Vec::new() });
    let (code, msg, details) = outcome.error();
    assert_eq!((code, msg.as_str()), (5, "error reading the network configuration from stdin"));
    assert!(details.starts_with("EIO: "), "{details}");
    let (code, msg, _) = run_with(&Fake::fine(), &lookup, &mut io::repeat(b' ')).error();
    assert!(code == 6 && msg.contains("16777216 bytes"), "{msg}");
    // 1 MB is a large configuration, but one.
    let mut large =
        r#"{"cniVersion":"1.1.0","name":"net"}"#.as_bytes().chain(io::repeat(b'\n').take(1 << 20));
    assert_eq!(run_with(&Fake::fine(), &lookup, &mut large).status, 0);
}

/// A verb, the version it came with, and versions around that.
const GATES: [(&str, &str, &[&str], &[&str]); 3] = [
    ("CHECK", "0.4.0", &["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.3.9", "0"], &["0.4.0", "1.0.0", "1.1.0"]),
    ("GC", "1.1.0", &["", "0.4.0", "1.0.0", "1", "1.0"], &["1.1.0"]),
    ("STATUS", "1.1.0", &["", "0.4.0", "1.0.0", "1", "1.0"], &["1.1.0"]),
];

fn conf(version: &str) -> String {
    format!(r#"{{"cniVersion":"{version}","name":"net","cni.dev/valid-attachments":[]}}"#)
}

#[test]
fn verbs_are_refused_before_the_version_they_came_with() {
    for (verb, first, too_old, fine) in GATES {
        for version in too_old {
            let plugin = Fake::fine();
            let (code, msg, details) = run(&plugin, &env(verb), conf(version).as_bytes()).error();
            assert_eq!((code, msg), (1, format!("config version does not allow {verb}")), "{version:?}");
            assert!(details.contains(first), "{details}");
            assert!(plugin.calls.borrow().is_empty());
        }
        for version in fine {
            assert_eq!(
                run(&Fake::fine(), &env(verb), conf(version).as_bytes()).status,
                0,
                "{verb} {version}"
            );
        }
        for bad in ["x", "1.x", "1.1.0.0", "1..0", "-1"] {
            let (code, msg, _) = run(&Fake::fine(), &env(verb), conf(bad).as_bytes()).error();
            assert_eq!((code, msg.as_str()), (6, "cniVersion is not a version number"), "{verb} {bad}");
        }
        // A version nobody has, but old enough to be compared.
        let (code, msg, _) = run(&Fake::fine(), &env(verb), conf("1.1").as_bytes()).error();
        assert_eq!((code, msg.as_str()), (1, "incompatible CNI versions"), "{verb}");
    }
}

#[test]
fn a_plugin_of_fewer_versions_says_which() {
    const OLD: &[SpecVersion] = &[SpecVersion::V0_3_0, SpecVersion::V0_4_0];
    for (verb, version, msg) in [
        ("ADD", "", "incompatible CNI versions"),
        ("ADD", "0.1.0", "incompatible CNI versions"),
        ("DEL", "1.0.0", "incompatible CNI versions"),
        ("CHECK", "1.0.0", "plugin version does not allow CHECK"),
        ("GC", "1.1.0", "plugin version does not allow GC"),
        ("STATUS", "1.1.0", "plugin version does not allow STATUS"),
    ] {
        let plugin = Fake { versions: OLD, ..Fake::fine() };
        let (code, text, details) = run(&plugin, &env(verb), conf(version).as_bytes()).error();
        assert_eq!((code, text.as_str()), (1, msg), "{verb} {version}");
        let shown = if version.is_empty() { "0.1.0" } else { version };
        assert_eq!(details, format!(r#"config is "{shown}", plugin supports ["0.3.0" "0.4.0"]"#));
        assert!(plugin.calls.borrow().is_empty());
    }
    let plugin = Fake { versions: OLD, ..Fake::fine() };
    assert_eq!(run(&plugin, &env("CHECK"), conf("0.4.0").as_bytes()).status, 0);
}
