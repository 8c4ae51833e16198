//! The executable with the suite's own plugins on a real namespace, in a world of the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kit::TempDir;
use serde_json::Value;

const CNITOOL: &str = env!("CARGO_BIN_EXE_cnitool");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf-examples");

/// Adds, checks and deletes, and writes down what another tool sees in between.
const SCRIPT: &str = r#"
    set -e
    mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
    ip netns add a
    tool=$1; out=$2
    $tool status bridge-gateway
    $tool add bridge-gateway /run/netns/a > "$out/result"
    ip -n a -j address show dev eth0 > "$out/inside"
    $tool check bridge-gateway /run/netns/a
    if $tool add bridge-gateway /run/netns/a 2> "$out/again"; then exit 9; fi
    $tool check bridge-gateway /run/netns/a
    ip -n a link set eth0 down; ip -n a address flush dev eth0
    if $tool check bridge-gateway /run/netns/a 2> "$out/differs"; then exit 9; fi
    $tool del bridge-gateway /run/netns/a
    $tool del bridge-gateway /run/netns/a
    $tool gc --keep none bridge-gateway
    ip -n a -j link > "$out/left"
    find /var/lib/cni -type f > "$out/files"
"#;

#[test]
fn a_namespace_is_attached_checked_and_detached() {
    let beside = || Path::new(CNITOOL).parent().unwrap().to_owned();
    let plugins = std::env::var_os("CNI_TEST_BIN_DIR").map_or_else(beside, PathBuf::from);
    if !plugins.join("bridge").exists() || !plugins.join("host-local").exists() {
        let why = format!("skipped: {} holds no bridge and host-local", plugins.display());
        assert!(std::env::var_os("CNI_TEST_STRICT").is_none_or(|v| v != "1"), "{why}");
        eprintln!("{why}");
        return;
    }
    let out = TempDir::new();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount", "sh", "-c", SCRIPT, "sh", CNITOOL]).arg(&out.0);
    command.env("NETCONFPATH", EXAMPLES).env("CNI_PATH", &plugins);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));

    let read = |name: &str| std::fs::read_to_string(out.0.join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    let (result, inside) = (json("result"), json("inside"));
    assert_eq!(result["ips"][0]["address"], "10.22.1.2/24");
    assert_eq!(inside[0]["addr_info"][0]["local"], "10.22.1.2");
    assert_eq!(result["interfaces"][2]["mac"], inside[0]["address"]);
    assert!(read("again").contains("nothing was removed"), "{}", read("again"));
    assert!(read("differs").contains("plugin type=\"bridge\" failed (check): "), "{}", read("differs"));
    assert_eq!(json("left").as_array().unwrap().len(), 1, "only lo: {}", read("left"));
    for file in read("files").lines() {
        let name = file.rsplit('/').next().unwrap();
        assert!(name == "lock" || name.starts_with("last_reserved_ip."), "left behind: {file}");
    }
}
