//! The executable is what it is called.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use cni_plugins::plugins;
use cni_tests::smoke;

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_cni-plugins");

/// A directory of this test's own; removed by the next run.
fn directory(test: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn it_has_every_plugin_of_the_suite() {
    let mut names: Vec<_> = plugins().map(|plugin| plugin.about().name).collect();
    names.sort_unstable();
    assert_eq!(names, cni_tests::plugins());
}

#[test]
fn each_name_is_that_plugin() {
    let dir = directory("names");
    for plugin in plugins() {
        let about = plugin.about();
        let path = dir.join(about.name);
        fs::hard_link(EXECUTABLE, &path).unwrap();
        let path = path.to_str().unwrap();
        let versions: Vec<_> = about.versions.iter().map(|version| version.as_str()).collect();
        smoke::version(path, &versions);
        smoke::about(path, about.name);
        smoke::bad_json(path);
    }
}

#[test]
fn copies_symbolic_links_and_renamed_files_work() {
    let dir = directory("forms");
    fs::copy(EXECUTABLE, dir.join("renamed")).unwrap();
    fs::rename(dir.join("renamed"), dir.join("bridge")).unwrap();
    fs::copy(EXECUTABLE, dir.join("tap")).unwrap();
    symlink(EXECUTABLE, dir.join("vlan")).unwrap();
    for name in ["bridge", "tap", "vlan"] {
        smoke::about(dir.join(name).to_str().unwrap(), name);
    }
}

#[test]
fn any_other_name_gets_the_list_of_names() {
    let dir = directory("others");
    for name in ["cni-plugins", "bridge2", "Bridge", "bridge.exe", "-"] {
        let path = dir.join(name);
        fs::copy(EXECUTABLE, &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let by_hand = Command::new(&path).env_clear().output().unwrap();
        let text = String::from_utf8_lossy(&by_hand.stderr).into_owned();
        assert_eq!((by_hand.status.code(), by_hand.stdout.len()), (Some(1), 0), "{name}: {by_hand:?}");
        assert!(
            text.contains("there is no plugin") && text.contains("bridge, dhcp, dummy"),
            "{name}: {text}"
        );
        let command = Command::new(&path).env_clear().env("CNI_COMMAND", "VERSION").output().unwrap();
        let error: serde_json::Value = serde_json::from_slice(&command.stdout).unwrap();
        assert_eq!(
            (command.status.code(), error["code"].as_u64()),
            (Some(1), Some(4)),
            "{name}: {command:?}"
        );
        assert!(error["details"].as_str().unwrap().contains("tuning, vlan, vrf"), "{name}: {error}");
    }
}

#[test]
fn without_any_name_it_says_so_too() {
    // `exec -a ''` gives an empty first argument.
    let output = Command::new("bash").args(["-c", &format!("exec -a '' {EXECUTABLE}")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no plugin"), "{output:?}");
}

#[test]
fn dhcp_called_so_has_its_daemon() {
    let dir = directory("daemon");
    let path = dir.join("dhcp");
    fs::hard_link(EXECUTABLE, &path).unwrap();
    let output = Command::new(&path).args(["daemon", "--no-such-option"]).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-option"), "{output:?}");
}
