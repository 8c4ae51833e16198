//! The plugin's own namespace is refused before any work; other paths are left to the plugin, and none hangs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::fake::{CONF, Fake, env, run};

const OWN: &str = "/proc/thread-self/ns/net";

fn run_in(netns: &Path, verb: &str, more: &[(&str, &str)]) -> (crate::fake::Outcome, usize) {
    let plugin = Fake::fine();
    let mut env = env(verb);
    env[2].1 = netns.to_str().unwrap();
    env.extend(more);
    let outcome = run(&plugin, &env, CONF.as_bytes());
    let calls = plugin.calls.borrow().len();
    (outcome, calls)
}

#[test]
fn the_plugins_own_namespace_is_refused_before_the_callback() {
    for verb in ["ADD", "DEL"] {
        let (outcome, calls) = run_in(Path::new(OWN), verb, &[]);
        let (code, msg, _) = outcome.error();
        assert_eq!((code, calls), (8, 0), "{verb}");
        assert_eq!(msg, "plugin's netns and netns from CNI_NETNS should not be the same");
    }
    assert_eq!(run_in(Path::new(OWN), "CHECK", &[]).1, 1, "CHECK changes nothing, so it may look");
}

#[test]
fn netns_override_allows_it() {
    for (value, allowed) in [
        ("1", true),
        ("true", true),
        ("TRUE", true),
        ("True", true),
        ("0", false),
        ("yes", false),
        ("", false),
    ] {
        for verb in ["ADD", "DEL"] {
            let (outcome, calls) = run_in(Path::new(OWN), verb, &[("CNI_NETNS_OVERRIDE", value)]);
            assert_eq!((outcome.status == 0, calls == 1), (allowed, allowed), "{verb} with {value:?}");
        }
    }
}

#[test]
fn paths_that_are_no_namespace_neither_hang_nor_fail_here() {
    let dir = std::env::temp_dir().join(format!("cni-skel-netns-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let [fifo, file, link, dangling] = ["fifo", "file", "link", "dangling"].map(|name| dir.join(name));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(OWN, &link).unwrap();
    std::os::unix::fs::symlink("/nonexistent", &dangling).unwrap();
    let own_inode_elsewhere = Path::new("/proc/thread-self/ns/uts");
    for path in [&fifo, &file, &dangling, &dir, own_inode_elsewhere] {
        for verb in ["ADD", "DEL"] {
            let (outcome, calls) = run_in(path, verb, &[]);
            assert_eq!((outcome.status, calls), (0, 1), "{verb} {}", path.display());
        }
    }
    assert_eq!(run_in(&link, "ADD", &[]).0.error().0, 8, "a link to the own namespace is the own namespace");
    fs::remove_dir_all(&dir).unwrap();
}
