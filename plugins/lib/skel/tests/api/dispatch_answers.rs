//! What comes out: one document or none, errors as the plugin made them, and no attachment the runtime was not told of.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::Write;
use std::rc::Rc;

use crate::fake::{Broken, CONF, Fake, env, failing, one_address, run};
use cni_skel::{Delegates, Undo, dispatch};
use cni_types::{CniResult, Code, Error, SpecVersion};
use serde_json::Value;

const GC_CONF: &str = r#"{"cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":[]}"#;

#[test]
fn add_prints_its_result_in_the_configurations_version_and_the_others_print_nothing() {
    for version in SpecVersion::ALL {
        let conf = format!(r#"{{"cniVersion":"{version}","name":"net"}}"#);
        let outcome = run(&Fake::fine(), &env("ADD"), conf.as_bytes());
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
        assert_eq!(outcome.stdout, one_address().to_json(version).unwrap());
    }
    for verb in ["DEL", "CHECK", "GC", "STATUS"] {
        let outcome = run(&Fake::fine(), &env(verb), GC_CONF.as_bytes());
        assert_eq!((outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""), "{verb}");
    }
}

#[test]
fn the_callbacks_get_what_the_runtime_said() {
    let plugin = Fake::fine();
    for verb in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        run(&plugin, &env(verb), GC_CONF.as_bytes());
    }
    let calls = [
        "ADD net a eth0 /nonexistent/netns",
        "CHECK net a eth0 /nonexistent/netns",
        "DEL net a eth0 Some(\"/nonexistent/netns\")",
        "GC net keep 0",
        "STATUS net",
    ];
    assert_eq!(*plugin.calls.borrow(), calls);
}

#[test]
fn an_error_object_passes_through_unchanged() {
    for verb in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        let outcome = run(&failing(), &env(verb), GC_CONF.as_bytes());
        assert_eq!(outcome.error(), (7, format!("{verb} failed"), "a cause".to_owned()));
        let text = format!(
            "{{\n    \"cniVersion\": \"1.1.0\",\n    \"code\": 7,\n    \"msg\": \"{verb} failed\",\n    \"details\": \"a \
             cause\"\n}}"
        );
        assert_eq!(outcome.stdout, text);
    }
    let bare = Fake::new(|_| Err(Error::new(Code(4_000_000_000), "\"quoted\"\n")));
    let outcome = run(&bare, &env("ADD"), CONF.as_bytes());
    assert_eq!(outcome.error(), (4_000_000_000, "\"quoted\"\n".into(), String::new()));
    assert!(!outcome.stdout.contains("details"), "{}", outcome.stdout);
}

#[test]
fn a_panic_is_error_999_after_the_journal_ran() {
    let taken_back = Rc::new(Cell::new(false));
    let flag = Rc::clone(&taken_back);
    let plugin = Fake::new(move |_| {
        let mut undo = Undo::new();
        undo.push("x", || {
            flag.set(true);
            Ok(())
        });
        panic!("index {} out of range", 7);
    });
    let outcome = run(&plugin, &env("ADD"), CONF.as_bytes());
    let wanted = (999, "fake failed: a defect of the plugin".to_owned(), "index 7 out of range".to_owned());
    assert_eq!(outcome.error(), wanted);
    assert!(taken_back.get());
    let fixed = Fake::new(|_| panic!("a fixed text"));
    assert_eq!(run(&fixed, &env("DEL"), CONF.as_bytes()).error().2, "a fixed text");
}

/// One ADD with a stdout that takes `room` bytes before it fails: status, what stdout took, stderr, the verbs called.
fn add_into(plugin: &Fake, room: usize, recovers: bool) -> (u8, String, String, Vec<String>) {
    let lookup = |name: &str| env("ADD").iter().find(|e| e.0 == name).map(|e| OsString::from(e.1));
    let (mut stdout, mut stderr) = (Broken { room, recovers, taken: Vec::new() }, Vec::new());
    let status = dispatch(
        plugin,
        &Delegates::default(),
        &lookup,
        &mut CONF.as_bytes(),
        &mut stdout as &mut dyn Write,
        &mut stderr,
    );
    let verbs = plugin.calls.borrow().iter().map(|c| c.split(' ').next().unwrap().to_owned()).collect();
    (status, String::from_utf8(stdout.taken).unwrap(), String::from_utf8(stderr).unwrap(), verbs)
}

#[test]
fn an_attachment_the_runtime_cannot_be_told_of_is_taken_back() {
    let whole = one_address().to_json(SpecVersion::CURRENT).unwrap();
    for room in [0, 1, whole.len() - 1] {
        for recovers in [false, true] {
            let (status, stdout, stderr, verbs) = add_into(&Fake::fine(), room, recovers);
            assert_eq!((status, verbs.join(" ").as_str()), (1, "ADD DEL"));
            let report = if room == 0 && recovers {
                assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["code"], 5);
                stdout
            } else {
                assert_eq!(stdout, whole[..room], "no second document after half a first one");
                stderr
            };
            assert!(report.contains("cannot write the result to stdout"), "{report}");
            assert!(report.contains("ENOSPC"), "{report}");
        }
    }
    let (status, stdout, _, verbs) = add_into(&Fake::fine(), whole.len(), false);
    assert_eq!((status, stdout, verbs), (0, whole, vec!["ADD".to_owned()]));
}

/// The runtime knows of it: the ADD before this one has told.
#[test]
fn an_attachment_that_an_earlier_add_has_made_is_not_taken_back() {
    let plugin = Fake { repeats: true, ..Fake::fine() };
    for recovers in [false, true] {
        let (status, _, _, verbs) = add_into(&plugin, 0, recovers);
        assert_eq!((status, verbs.join(" ").as_str()), (1, "ADD"));
        plugin.calls.borrow_mut().clear();
    }
}

/// The plugin finds by it what is its own, and so does a delegate: it gets the same bytes.
#[test]
fn the_del_that_takes_back_is_told_what_add_has_made() {
    for version in SpecVersion::ALL {
        let before = r#"{"ips":[{"version":"4","address":"192.0.2.7/24"}]}"#;
        for prev_result in [String::new(), format!(r#","prevResult":{before},"PREVRESULT":{before}"#)] {
            let conf = format!(r#"{{"cniVersion":"{version}","name":"net","key":[1]{prev_result}}}"#);
            let plugin = Fake::fine();
            let lookup = |name: &str| env("ADD").iter().find(|e| e.0 == name).map(|e| OsString::from(e.1));
            let mut full = Broken { room: 0, recovers: false, taken: Vec::new() };
            assert_eq!(
                dispatch(
                    &plugin,
                    &Delegates::default(),
                    &lookup,
                    &mut conf.as_bytes(),
                    &mut full,
                    &mut Vec::new()
                ),
                1
            );
            let told = plugin.told.borrow();
            let [(result, bytes)] = &told[..] else { panic!("one DEL: {told:?}") };
            assert_eq!(result.as_ref(), Some(&one_address()), "{version}");
            let delegated: Value = serde_json::from_str(bytes).unwrap();
            assert_eq!(delegated["key"], serde_json::json!([1]));
            let printed = one_address().to_json(version).unwrap();
            assert_eq!(delegated["prevResult"], serde_json::from_str::<Value>(&printed).unwrap());
            assert!(!bytes.contains("192.0.2.7"), "{bytes}");
        }
    }
}

#[test]
fn a_result_that_its_version_cannot_express_is_taken_back() {
    for version in ["0.1.0", "0.2.0"] {
        let conf = format!(r#"{{"cniVersion":"{version}","name":"net"}}"#);
        let plugin = Fake::new(|_| Ok(CniResult::default()));
        let (code, msg, details) = run(&plugin, &env("ADD"), conf.as_bytes()).error();
        assert_eq!((code, msg.as_str()), (2, "cannot convert: no valid IP addresses"));
        assert!(details.contains("cniVersion") && details.contains(version), "key and value: {details}");
        assert_eq!(plugin.calls.borrow().len(), 2);
        assert_eq!(plugin.calls.borrow()[1], "DEL net a eth0 Some(\"/nonexistent/netns\")");
    }
    let conf = r#"{"cniVersion":"0.2.0","name":"net"}"#;
    let stuck =
        Fake::new(|v| if v == "ADD" { Ok(CniResult::default()) } else { Err(Error::config("stuck")) });
    let (_, msg, details) = run(&stuck, &env("ADD"), conf.as_bytes()).error();
    assert!(
        msg.contains("cannot convert") && details.contains("taking the attachment back failed too: stuck")
    );
}

#[test]
fn stdout_holds_one_document_or_none_whatever_is_asked() {
    let (plugins, stdins) = ([Fake::fine(), failing()], ["", "{}", CONF, GC_CONF, r#"{"name":"n"}"#]);
    for command in ["", "ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", "FROB"] {
        for leave_out in 0..=5 {
            for (plugin, stdin) in plugins.iter().flat_map(|p| stdins.map(|s| (p, s))) {
                let mut env = env(command);
                env.truncate(5 - leave_out);
                let outcome = run(plugin, &env, stdin.as_bytes());
                let document = serde_json::from_str::<Value>(&outcome.stdout);
                let fine = document.is_ok() || outcome.status == 0 && outcome.stdout.is_empty();
                assert!(fine, "{env:?} {stdin}: {}", outcome.stdout);
                assert_eq!(document.is_ok_and(|d| d.get("code").is_some()), outcome.status == 1);
            }
        }
    }
}
