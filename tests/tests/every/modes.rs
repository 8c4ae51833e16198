//! What the suite writes is for its owner alone: under any umask, and to another user.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use cni_tests::{Conf, Host, Place, needs};
use serde_json::{Value, json};

/// Everything below the directories that plugins write to.
fn written() -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
            found.push(entry.path());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), found);
            }
        }
    }
    let mut found = vec![PathBuf::from("/run/cni")];
    ["/run/cni", "/var/lib/cni"].iter().for_each(|dir| walk(Path::new(dir), &mut found));
    found.retain(|path| !path.symlink_metadata().unwrap().file_type().is_socket());
    found
}

/// One ADD of every plugin that writes something, under this umask.
fn adds(host: &Host, umask: &str) {
    let umask = format!("umask {umask}; exec \"$0\" \"$@\"");
    let call = |name: &str| host.plugin(name).under(&["sh", "-c", &umask]);
    host.run("ip link add nic type veth peer name other");
    fs::create_dir_all("/run/flannel").unwrap();
    let env =
        "FLANNEL_NETWORK=10.6.0.0/16\nFLANNEL_SUBNET=10.6.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
    fs::write("/run/flannel/subnet.env", env).unwrap();
    let conf = |plugin: &str| Conf::new(json!({ "cniVersion": "1.0.0", "name": "net", "type": plugin }));

    let pod = host.container("pod");
    let bridge = Conf::bridge().set("isGateway", true).set("ipMasq", true);
    let result = call("bridge").add(&bridge, &pod, "eth0").result();
    let chained = |plugin: &str| conf(plugin).prev(&result);
    call("tuning").add(&chained("tuning").set("mtu", 1400), &pod, "eth0").result();
    call("firewall").add(&chained("firewall").set("backend", "iptables"), &pod, "eth0").result();
    let ports: Value = json!([{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }]);
    let portmap = chained("portmap").set("capabilities", json!({ "portMappings": true }));
    call("portmap").add(&portmap.runtime("portMappings", &ports), &pod, "eth0").result();
    call("host-device").add(&conf("host-device").set("device", "nic"), &pod, "nic").result();
    call("flannel").add(&conf("flannel"), &pod, "eth1").result();
}

#[test]
fn nothing_is_open_to_others_under_any_umask() {
    needs!(Iptables);
    for umask in ["0", "022", "077"] {
        Host::fresh(|host| {
            adds(host, umask);
            let written = written();
            for part in ["firewall/lock", "host-device/", "/tuning/", "flannel/pod", "networks/net/lock"] {
                assert!(
                    written.iter().any(|path| path.to_str().unwrap().contains(part)),
                    "{part}: {written:?}"
                );
            }
            for path in written {
                let file = path.symlink_metadata().unwrap();
                let mode = file.mode() & 0o7777;
                let wanted = if file.is_dir() { 0o700 } else { 0o600 };
                // host-local's directory is shared with the reference, which makes it so.
                let shared = path.starts_with("/var/lib/cni/networks") && file.is_dir() && mode == 0o755;
                assert!(mode == wanted || shared, "umask {umask}: {} has mode {mode:o}", path.display());
            }
        });
    }
}

#[test]
fn another_user_can_neither_hold_a_lock_nor_read_a_record() {
    needs!(Iptables, UserIds);
    let host = Host::new();
    adds(&host, "0");
    let files: Vec<_> = written().into_iter().filter(|path| path.is_file()).collect();
    for path in files {
        let mut as_nobody = host.command("setpriv");
        as_nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "cat"]).arg(&path);
        let done = as_nobody.output().unwrap();
        assert!(!done.status.success(), "{} can be opened", path.display());
    }
}
