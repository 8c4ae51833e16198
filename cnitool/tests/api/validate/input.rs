//! Input that is no configuration: a clear error, never a panic, and nothing to wait for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{cnitool, validate};

fn dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    let dir = dir("no-json");
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{}1{}", open.repeat(levels), close.repeat(levels)).into_bytes()
    };
    let inside = |bytes: Vec<u8>| {
        [br#"{"cniVersion":"1.1.0","name":"n","x":"#.to_vec(), bytes, b"}".to_vec()].concat()
    };
    for (name, bytes, code, line, column, message) in [
        ("text", b"hello".to_vec(), "not-json", 1, 1, "starts with {"),
        ("empty", b"".to_vec(), "empty", 1, 1, "nothing in it"),
        ("white", b" \n\t\n".to_vec(), "empty", 1, 1, "nothing in it"),
        ("number", b"7".to_vec(), "wrong-type", 1, 1, "must be an object"),
        ("list", b"[]".to_vec(), "wrong-type", 1, 1, "must be an object"),
        ("object", b"{}".to_vec(), "missing-key", 1, 1, "plugins is missing"),
        ("comma", b"{\n \"name\": \"n\",\n}".to_vec(), "not-json", 3, 1, "leave out the comma"),
        ("no-comma", b"{\n \"name\": \"n\"\n \"x\": 1\n}".to_vec(), "not-json", 3, 2, "a comma is missing"),
        ("comment", b"{\n // a comment\n}".to_vec(), "not-json", 2, 2, "no comments"),
        ("single", b"{'name': 'n'}".to_vec(), "not-json", 1, 2, "double quotes"),
        ("no-break", "{\"name\":\u{a0}\"n\"}".into(), "not-json", 1, 9, "write a space"),
        ("unseen", "{\u{200b}\"name\": \"n\"}".into(), "not-json", 1, 2, "write a space"),
        ("curly", "{“name”: \"n\"}".into(), "not-json", 1, 2, "an editor"),
        ("commas", b"{\"name\": \"n\",, \"x\": 1}".to_vec(), "not-json", 1, 14, "one of the two commas"),
        ("true", b"{\"x\": True}".to_vec(), "not-json", 1, 7, "write true"),
        ("none", b"{\"x\": None}".to_vec(), "not-json", 1, 7, "write null"),
        ("zeros", b"{\"x\": 01450}".to_vec(), "not-json", 1, 7, "no zeros before it"),
        ("hexadecimal", b"{\"x\": 0x5aa}".to_vec(), "not-json", 1, 8, "decimal"),
        ("short", b"{\"name\": \"n\"".to_vec(), "not-json", 1, 13, "ends too early"),
        ("two", b"{} {}".to_vec(), "not-json", 1, 4, "more behind"),
        ("latin1", b"{\"name\": \"\xe4\"}".to_vec(), "not-utf8", 1, 11, "not UTF-8"),
        ("utf16", b"\xff\xfe{\0}\0".to_vec(), "not-utf8", 1, 1, "UTF-16"),
        ("bom", b"\xef\xbb\xbf{}".to_vec(), "byte-order-mark", 1, 1, "save it without"),
        ("nul", b"{\"name\": \"n\0\"}".to_vec(), "not-json", 1, 12, "control character"),
        ("10000", inside(deep("[", "]", 9999)), "missing-key", 1, 1, "plugins is missing"),
        ("10001", inside(deep("[", "]", 10_000)), "not-json", 1, 10_037, "10000 levels"),
        ("objects", inside(deep("{\"a\":", "}", 9999)), "missing-key", 1, 1, "plugins is missing"),
    ] {
        let file = dir.join(format!("{name}.conflist"));
        fs::write(&file, bytes).unwrap();
        let (status, findings) = validate(&["--json"], &[file]);
        let is_told = findings
            .iter()
            .any(|f| f.code == code && (f.line, f.column) == (line, column) && f.message.contains(message));
        assert!(status == 1 && is_told, "{name}: {status} {findings:?}");
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let dir = dir("no-file");
    let fifo = dir.join("fifo.conflist");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let large = dir.join("large.conflist");
    fs::File::create(&large).unwrap().set_len(100 << 20).unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.join("dangling.conflist")).unwrap();
    for (file, code, message) in [
        (fifo, "not-a-file", "no regular file"),
        (large, "too-large", "8 MiB"),
        (dir.join("dangling.conflist"), "unreadable", "ENOENT"),
        (dir.join("missing.conflist"), "unreadable", "ENOENT"),
        ("/dev/zero".into(), "not-a-file", "no regular file"),
    ] {
        let (status, findings) = validate(&["--json"], std::slice::from_ref(&file));
        let is_told =
            findings.len() == 1 && findings[0].code == code && findings[0].message.contains(message);
        assert!(status == 1 && is_told, "{}: {status} {findings:?}", file.display());
    }
    // All of them in one directory, with a network among them that is fine.
    let good = r#"{"cniVersion":"1.1.0","name":"good","plugins":[{"type":"loopback"}]}"#;
    fs::write(dir.join("zz.conflist"), good).unwrap();
    let (status, findings) = validate(&["--json"], &[dir]);
    assert_eq!((status, findings.iter().filter(|f| f.severity == "error").count()), (1, 3), "{findings:?}");
    assert!(
        findings
            .iter()
            .any(|f| f.code == "taken" && f.file.ends_with("zz.conflist") && f.message.contains("good"))
    );
}

#[test]
fn who_may_not_read_it_is_told_so() {
    let dir = dir("no-right");
    let file = dir.join("secret.conflist");
    fs::write(&file, "{}").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything; a user of nothing does not.
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        env!("CARGO_BIN_EXE_cnitool"),
        "validate",
    ]);
    let output = command.arg(&file).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("unreadable"), "{text}");
}

#[test]
fn stdin_is_a_file_too() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnitool"));
    let mut child =
        command.args(["validate", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let conf =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"ä\",\"plugins\":[{\"type\":\"bridge\",\"isGatway\":true}]}";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), conf.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Columns are characters: the name has two bytes.
    let wanted = "<stdin>:1:62: error[unknown-key]: plugins[0].isGatway: no such key of bridge; did you mean isGateway?\n";
    assert!(output.status.code() == Some(1) && text.contains(wanted), "{text}");
    let mark = format!("\n    | {}^^^^^^^^^^\n", " ".repeat(61));
    assert!(text.contains(&mark), "{text}");
}

/// A mark stands under what it marks, whatever is before it in the line: a wide character takes two columns.
#[test]
fn the_mark_is_under_wide_characters_and_tabs() {
    let file = dir("wide").join("n.conflist");
    let line = "\t{\"c\":\"日本 é\",\"type\":\"bridge\",\"isGatway\":true}]}";
    fs::write(&file, format!("{{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"plugins\":[\r\n{line}\r\n"))
        .unwrap();
    let text = String::from_utf8(cnitool(&["validate"], &[file]).stdout).unwrap();
    // A tab, then 30 columns in 28 characters.
    let mark = format!("\n    | \t{}{}\n", " ".repeat(30), "^".repeat(10));
    assert!(
        text.contains(&format!("  2 | {line}\n")) && text.contains(&mark) && text.contains(":2:30:"),
        "{text}"
    );
}

#[test]
fn a_directory_is_seen_as_a_runtime_sees_it() {
    let dir = dir("directory");
    let net = |name: &str, subnet: &str| {
        format!(
            "{{\"cniVersion\":\"1.1.0\",\"name\":\"{name}\",\"plugins\":[{{\"type\":\"ptp\",\n\"ipam\":{{\"type\":\"host-local\",\n\"subnet\":\"{subnet}\"}}}}]}}"
        )
    };
    let single =
        |name: &str| format!("{{\"cniVersion\":\"1.0.0\",\"name\":\"{name}\",\"type\":\"loopback\"}}");
    for (file, text) in [
        ("10-a.conflist", net("a", "10.1.0.0/16")),
        ("20-b.conflist", net("b", "10.1.128.0/24")),
        ("30-a.conflist", net("a", "10.3.0.0/16")),
        ("40-list.conf", net("c", "10.4.0.0/16")),
        ("50-single.conflist", single("d")),
        ("60-e.conflst", net("e", "10.5.0.0/16")),
        ("70-f.yaml", "name: f".into()),
        ("80-g.conflist.bak", net("g", "10.6.0.0/16")),
        ("90-b.conf", single("b")),
        ("calico-kubeconfig", "x".into()),
    ] {
        fs::write(dir.join(file), text).unwrap();
    }
    let beside = dir.join("b");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("10-more.conf"), "{\"type\":\"portmap\"}").unwrap();
    let (_, findings) = validate(&["--json"], &[dir]);
    let mut said: Vec<_> = findings
        .iter()
        .map(|f| (f.file.rsplit('/').next().unwrap(), f.severity.as_str(), f.code.as_str(), f.line))
        .collect();
    said.sort_unstable();
    let wanted = [
        ("10-a.conflist", "note", "taken", 0),
        ("10-more.conf", "error", "missing-capability", 1),
        ("20-b.conflist", "warning", "overlap", 3),
        ("30-a.conflist", "warning", "duplicate-network", 1),
        ("40-list.conf", "error", "wrong-extension", 1),
        ("50-single.conflist", "error", "wrong-extension", 1),
        ("60-e.conflst", "warning", "wrong-extension", 0),
        ("70-f.yaml", "warning", "wrong-extension", 0),
        ("80-g.conflist.bak", "note", "wrong-extension", 0),
        ("90-b.conf", "warning", "duplicate-network", 1),
    ];
    assert_eq!(said, wanted, "{findings:#?}");
    let empty = self::dir("empty-directory");
    let (status, findings) = validate(&["--json"], &[empty]);
    assert!(status == 1 && findings[0].code == "no-network", "{findings:?}");
}

#[test]
fn the_exit_status_says_how_bad_it_is() {
    let dir = dir("status");
    let conf = |key: &str| {
        format!(
            "{{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"plugins\":[{{\"type\":\"bridge\",\"{key}\":true}}]}}"
        )
    };
    for (key, lenient, strict) in [("hairpinMode", 0, 0), ("hairpinmode", 0, 2), ("hairpnMode", 1, 1)] {
        let file = dir.join("n.conflist");
        fs::write(&file, conf(key)).unwrap();
        let status = |options: &[&str]| {
            cnitool(&[&["validate"], options].concat(), std::slice::from_ref(&file)).status.code().unwrap()
        };
        assert_eq!((status(&[]), status(&["--strict"])), (lenient, strict), "{key}");
    }
}

#[test]
fn add_warns_about_what_validate_finds() {
    let dir = dir("add");
    let conf =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"bridge\",\"isGatway\":true}]}";
    fs::write(dir.join("n.conflist"), conf).unwrap();
    for (flag, warns) in [(None, true), (Some("--no-validate"), false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnitool"));
        command.arg("add").args(flag).args(["n", "/nowhere"]);
        let output = command.env("NETCONFPATH", &dir).env("CNI_PATH", &dir).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let warning = "n.conflist:1:62: warning[unknown-key]: plugins[0].isGatway: no such key of bridge; did you mean isGateway?\n";
        assert_eq!(text.contains(warning), warns, "{text}");
    }
}

#[test]
fn the_schema_is_of_the_declarations() {
    let output = cnitool(&["schema"], &[]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let bridge = &schema["$defs"]["bridge"];
    assert_eq!(bridge["properties"]["hairpinMode"]["type"], serde_json::json!(["boolean", "null"]));
    assert_eq!(bridge["additionalProperties"], false);
    let declared = cni_plugins::KEYS.iter().filter(|keys| schema["$defs"][keys.plugin].is_object());
    assert_eq!(declared.count(), cni_plugins::KEYS.len() - 3, "all but the IPAM plugins");
    let ipam = &schema["$defs"]["ipam-host-local"]["properties"]["ranges"]["items"]["items"]["properties"];
    assert_eq!(ipam["subnet"]["type"], "string");
}

#[test]
fn the_chained_plugins_are_those_that_say_so() {
    let chained: Vec<_> = cni_plugins::PART_PLUGINS
        .iter()
        .filter(|plugin| plugin.is_chained)
        .map(|plugin| plugin.name)
        .collect();
    let dir = dir("chained");
    for plugin in cni_plugins::PART_PLUGINS {
        let file = dir.join(format!("{}.conflist", plugin.name));
        fs::write(
            &file,
            format!(
                "{{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"plugins\":[{{\"type\":\"{}\"}}]}}",
                plugin.name
            ),
        )
        .unwrap();
        let (_, findings) = validate(&["--json"], &[file]);
        let is_first_wrong = findings.iter().any(|finding| finding.code == "chain-order");
        assert_eq!(is_first_wrong, chained.contains(&plugin.name), "{}: {findings:?}", plugin.name);
    }
}
