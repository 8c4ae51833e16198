//! `cnitool validate --node`: what configurations need of this node, against nodes that have it and that have not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use cni_tests::{Host, Place, Suite, run};
use serde_json::{Value, json};

/// `CNI_PATH` of these tests.
const BIN: &str = "/run/bin";

/// Severity, kind, place and message of each thing found.
fn found(host: &Host, plugins: &Value) -> Vec<[String; 4]> {
    let list = json!({ "cniVersion": "1.1.0", "name": "n", "plugins": plugins });
    fs::create_dir_all("/run/net.d").unwrap();
    fs::write("/run/net.d/10-n.conflist", list.to_string()).unwrap();
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    cnitool.args(["validate", "--node", "--json", "/run/net.d"]).env("CNI_PATH", BIN);
    let done = run(&mut cnitool, b"");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let findings: Vec<_> =
        findings.map(|f| ["severity", "code", "path", "message"].map(|key| text(f, key))).collect();
    let has_error = findings.iter().any(|[severity, ..]| severity == "error");
    assert_eq!(done.status.success(), !has_error, "{findings:?}");
    findings
}

/// What is done to the node first, the plugins, and the severity, kind, place and words of what is said; nothing worse
/// may be.
type Case = (&'static str, Value, &'static [[&'static str; 4]]);

#[test]
fn what_a_node_has_and_lacks_is_said_in_its_place() {
    let range = json!({ "type": "host-local", "subnet": "10.1.0.0/24" });
    let on = |master: &str| json!([{ "type": "macvlan", "master": master, "mtu": 1500, "ipam": range }]);
    // `uname -r` is the machine's; what it has is not what these tests are about.
    let kernel = "printf 'CONFIG_NET=y\\nCONFIG_BRIDGE=y\\nCONFIG_VETH=m\\n# CONFIG_NET_VRF is not set\\n' > /boot/config-$(uname -r)";
    let vrf = json!([{ "type": "bridge" }, { "type": "vrf", "vrfname": "blue" }]);
    let cases: [Case; 8] = [
        (
            "true",
            json!([{ "type": "bridge", "ipam": range }, { "type": "calico" }]),
            &[
                ["note", "installed", "plugins[0]", "bridge is ours v"],
                ["note", "installed", "plugins[0].ipam.type", "host-local is ours v"],
                ["note", "installed", "plugins[1]", "calico is in /run/bin"],
                ["note", "kernel-option", "", "not checked"],
                ["note", "status", "", "say that they could work"],
            ],
        ),
        (
            "true",
            json!([{ "type": "bridge", "ipam": { "type": "dhcp" } }, { "type": "bandwidth", "ingressRate": 8000 }]),
            &[
                ["error", "missing-executable", "plugins[0].ipam.type", "\"dhcp\" in path [/run/bin]"],
                ["error", "missing-executable", "plugins[1]", "\"bandwidth\" in path [/run/bin]"],
            ],
        ),
        // One that is too old for the list is not asked for STATUS: it would say something else.
        (
            "true",
            json!([{ "type": "ptp", "ipam": range }]),
            &[
                ["note", "installed", "plugins[0]", "ptp is reference v1.0.0 in /run/bin, CNI 0.4.0, 1.0.0"],
                ["error", "wrong-executable", "plugins[0]", "does not speak cniVersion 1.1.0"],
            ],
        ),
        (
            "true",
            json!([{ "type": "flannel" }]),
            &[["error", "status", "", "flanneld has not written /run/flannel/subnet.env"]],
        ),
        ("true", on("eth7"), &[["error", "no-master", "plugins[0].master", "no link eth7"]]),
        (
            "ip link add eth7 mtu 1400 type veth peer name x",
            on("eth7"),
            &[["error", "mtu-above-master", "plugins[0].mtu", "1500 is above the MTU of eth7, 1400"]],
        ),
        (kernel, vrf, &[["error", "kernel-option", "plugins[1]", "CONFIG_NET_VRF"]]),
        ("true", json!([{ "type": "loopback" }]), &[["note", "installed", "plugins[0]", "loopback is ours"]]),
    ];
    for (before, plugins, said) in cases {
        Host::fresh(|host| {
            node(host);
            host.sh(before);
            let found = found(host, &plugins);
            for [severity, code, path, words] in said {
                let is_it = |f: &&[String; 4]| {
                    f[0] == *severity && f[1] == *code && f[2] == *path && f[3].contains(words)
                };
                assert!(found.iter().any(|f| is_it(&f)), "{severity} {code} {path} {words}: {found:#?}");
            }
            let errors = |severity: &str| severity == "error";
            let wanted = said.iter().filter(|said| errors(said[0])).count();
            assert_eq!(found.iter().filter(|f| errors(&f[0])).count(), wanted, "{found:#?}");
        });
    }
}

/// A node with some executables: ours, one that speaks as the reference's older ones do, somebody else's. What the
/// machine's kernel has is out of sight.
fn node(host: &Host) {
    fs::create_dir_all(BIN).unwrap();
    for name in ["bridge", "host-local", "flannel", "vrf", "macvlan", "loopback"] {
        symlink(Suite::Ours.source().join(name), Path::new(BIN).join(name)).unwrap();
    }
    let script = |name: &str, text: &str| {
        let file = Path::new(BIN).join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    script("ptp", "printf 'CNI ptp plugin v1.0.0\\nCNI protocol versions supported: 0.4.0, 1.0.0\\n' >&2");
    script("calico", "exit 0");
    host.sh("for dir in /boot /lib/modules /sys/module; do [ ! -d $dir ] || mount -t tmpfs none $dir; done");
}
