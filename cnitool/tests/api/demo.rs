//! `cnitool demo`: what it says when all is well, that it notices when something is not, and that it leaves no trace.
//! Plugins that misbehave are shell scripts around the real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::kit::TempDir;

const CNITOOL: &str = env!("CARGO_BIN_EXE_cnitool");

/// The suite's executables, copied to where any user may run them; `None` when they are not built.
fn suite(names: &[&str]) -> Option<TempDir> {
    let beside = || Path::new(CNITOOL).parent().unwrap().to_owned();
    let source = std::env::var_os("CNI_TEST_BIN_DIR").map_or_else(beside, PathBuf::from);
    let dir = TempDir::new();
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(CNITOOL, dir.0.join("cnitool")).unwrap();
    for name in names {
        if fs::copy(source.join(name), dir.0.join(name)).is_err() {
            let why = format!("skipped: {} is not built", source.join(name).display());
            assert!(std::env::var_os("CNI_TEST_STRICT").is_none_or(|v| v != "1"), "{why}");
            eprintln!("{why}");
            return None;
        }
    }
    Some(dir)
}

/// Puts a script in front of a plugin; `$real` in it is the plugin.
fn wrap(dir: &TempDir, name: &str, script: &str) {
    let real = dir.0.join(format!("{name}.real"));
    fs::rename(dir.0.join(name), &real).unwrap();
    // The demonstration binds the directory elsewhere, so the script looks beside itself.
    let text = format!("#!/bin/sh\nreal=\"$0.real\"\n{script}\n");
    fs::write(dir.0.join(name), text).unwrap();
    fs::set_permissions(dir.0.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

fn demo(dir: &TempDir) -> Output {
    Command::new(dir.0.join("cnitool")).arg("demo").env_remove("CNI_PATH").output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The text with every run of white space as one space: how lines are broken does not matter.
fn flat(output: &Output) -> String {
    text(output).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_a_good_play(output: &Output) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for row in ["web -> api", "api -> db", "db -> web", "web -> gateway", "db -> outside"] {
        assert!(text.contains(row), "{row}: {text}");
    }
    assert_eq!(text.matches("198.51.100.2, 2001:db8:51::2").count(), 3, "the outside saw the host: {text}");
    assert_eq!(text.lines().filter(|line| line.contains("  ok  ")).count(), 6, "CHECK and DEL: {text}");
    assert!(text.contains("kernel    nothing: ") && text.contains("disk      nothing: "), "{text}");
    assert!(text.contains("left in the kernel and on disk: nothing"), "{text}");
    assert!(output.stderr.is_empty() && !text.contains('\x1b'), "{text}");
    for line in text.lines().filter(|line| !line.starts_with("  plugins ") && !line.contains('/')) {
        assert!(line.chars().count() <= 80, "more than 80 columns: {line}");
    }
}

#[test]
fn it_works_and_shows_it() {
    let Some(dir) = suite(&["bridge", "host-local"]) else { return };
    is_a_good_play(&demo(&dir));
}

#[test]
fn it_needs_no_privileges_and_no_tools() {
    let Some(dir) = suite(&["bridge", "host-local"]) else { return };
    let nobody = "--reuid=65534 --regid=65534 --clear-groups";
    let mut command = Command::new("/usr/bin/setpriv");
    if nix::unistd::Uid::effective().is_root() {
        command.args(nobody.split(' '));
    }
    command.arg("--no-new-privs").arg(dir.0.join("cnitool")).arg("demo").env_clear();
    is_a_good_play(&command.output().unwrap());
}

#[test]
fn ptp_can_be_played_too() {
    let Some(dir) = suite(&["ptp", "host-local"]) else { return };
    let file = dir.0.join("ptp.conflist");
    let network = r#"{"cniVersion":"1.1.0","name":"p","plugins":[{"type":"ptp","ipMasq":true,"ipMasqBackend":"nftables",
        "ipam":{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"0.0.0.0/0"}]}}]}"#;
    fs::write(&file, network).unwrap();
    let output =
        Command::new(dir.0.join("cnitool")).arg("demo").arg(&file).env_remove("CNI_PATH").output().unwrap();
    assert!(
        output.status.success() && text(&output).matches("198.51.100.2\n").count() == 3,
        "{}",
        text(&output)
    );
}

/// Links, addresses, mounts, packet filter and state directories before and after, seen by other tools, in a world of
/// the test's own so that nobody else changes them meanwhile.
#[test]
fn it_leaves_no_trace() {
    let Some(dir) = suite(&["bridge", "host-local"]) else { return };
    let script = r#"
        look() { ip -j address; ip -j -6 route; nft list ruleset; cat /proc/self/mountinfo /proc/sys/net/ipv4/ip_forward
                 ls -lAR --time-style=full-iso /run /var/lib/cni 2>&1; }
        look > "$1/before"; "$1/cnitool" demo > /dev/null || exit 3; look > "$1/after"
        test -s "$1/before" && cmp "$1/before" "$1/after""#;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount", "sh", "-c", script, "sh"]).arg(&dir.0);
    let output = command.env_remove("CNI_PATH").output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, text(&output));
}

#[test]
fn a_plugin_that_fails_is_shown_and_the_others_go_on() {
    let Some(dir) = suite(&["bridge", "host-local"]) else { return };
    let script = r#"if [ "$CNI_COMMAND$CNI_CONTAINERID" = ADDdemo-api ]; then echo '{"code":11,"msg":"not today"}'; exit 1; fi
        exec "$real""#;
    wrap(&dir, "bridge", script);
    let output = demo(&dir);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let flat = flat(&output);
    assert!(
        flat.contains(r#"api FAILED plugin type="bridge" failed (add): not today (CNI error code 11)"#),
        "{flat}"
    );
    assert!(
        flat.contains("db -> web ") && flat.contains("kernel nothing") && flat.contains("1 step failed"),
        "{flat}"
    );
}

#[test]
fn what_a_plugin_leaves_behind_is_found() {
    for (plugin, place, gist) in [
        // Whoever forgets to release an address.
        ("host-local", "disk FAILED left behind: ", "10.22.3.2"),
        // Whoever forgets the links and the rules.
        ("bridge", "kernel FAILED left behind: ", "veth"),
    ] {
        let Some(dir) = suite(&["bridge", "host-local"]) else { return };
        wrap(&dir, plugin, r#"if [ "$CNI_COMMAND" = DEL ]; then exit 0; fi; exec "$real""#);
        let output = demo(&dir);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let flat = flat(&output);
        let found = flat.split(place).nth(1).unwrap_or_else(|| unreachable!("{plugin}: {flat}"));
        assert!(found.split("shared").next().unwrap().contains(gist), "{plugin}: {flat}");
        assert!(!flat.contains("on disk: nothing"), "{plugin}: {flat}");
        if plugin == "bridge" {
            assert!(found.contains("rule") || found.contains("set element"), "the masquerade: {flat}");
        }
    }
}

#[test]
fn a_network_that_does_not_masquerade_is_found() {
    let Some(dir) = suite(&["bridge", "host-local"]) else { return };
    wrap(&dir, "bridge", r#"sed 's/"ipMasq":true/"ipMasq":false/' | "$real""#);
    let output = demo(&dir);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(flat(&output).contains("no answer within 1s"), "{}", text(&output));
}

#[test]
fn a_signal_takes_back_what_was_made() {
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let Some(dir) = suite(&["bridge", "host-local"]) else { return };
        // The parent is cnitool; the signal comes while the second container is being attached.
        let script = format!(
            r#"if [ "$CNI_COMMAND$CNI_CONTAINERID" = ADDdemo-api ]; then kill -{signal} $PPID; fi; exec "$real""#
        );
        wrap(&dir, "bridge", &script);
        let output = demo(&dir);
        let flat = flat(&output);
        assert_eq!(output.status.code(), Some(128 + number), "{flat}");
        let del = flat.split("DEL ").nth(1).unwrap_or_default();
        assert!(del.starts_with("web ok ") && del.contains(" api ok ") && !del.contains(" db ok "), "{flat}");
        assert!(flat.contains("left in the kernel and on disk: nothing"), "{flat}");
        assert!(flat.contains(&format!("SIG{signal}: what was made is removed")), "{flat}");
    }
}

#[test]
fn missing_executables_are_said_before_anything_is_made() {
    let output = Command::new(CNITOOL).arg("demo").env("CNI_PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(flat(&output).contains("failed to find plugin \"bridge\""), "{}", text(&output));
    assert!(flat(&output).contains("CNI_PATH"), "{}", text(&output));
}

/// Two nodes in each of the three ways, without privileges: what the wire sees is what the model says.
#[test]
fn the_three_models_show_what_is_on_the_wire() {
    let Some(dir) = suite(&["bridge", "host-local", "flannel", "macvlan", "ipvlan"]) else { return };
    for (model, gists) in [
        (
            "overlay",
            &[
                "192.0.2.1 → 192.0.2.2 UDP 8472, 1500 bytes VXLAN 1",
                "10.244.1.2 → 10.244.2.2 UDP 4790, 1450 bytes",
            ][..],
        ),
        (
            "routed",
            &["1500 bytes arrive whole, as 1500 on the wire", "10.244.1.2 → 10.244.2.2 UDP 4790, 1500 bytes"],
        ),
        ("underlay", &["198.51.100.10 → 198.51.100.20 UDP 4790, 1500 bytes"]),
    ] {
        let mut command = Command::new("/usr/bin/setpriv");
        if nix::unistd::Uid::effective().is_root() {
            command.args("--reuid=65534 --regid=65534 --clear-groups".split(' '));
        }
        command.arg("--no-new-privs").arg(dir.0.join("cnitool")).args(["demo", "--model", model]).env_clear();
        let output = command.output().unwrap();
        let flat = flat(&output);
        assert!(output.status.success() && flat.contains("Every step worked"), "{model}: {}", text(&output));
        for gist in gists.iter().copied().chain(["ping ok pod 1 → pod 2", "% of node to node", "DEL 2 ok"])
        {
            assert!(flat.contains(gist), "{model}: {gist:?} is not in {}", text(&output));
        }
    }
}
