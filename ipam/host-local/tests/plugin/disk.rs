//! Full and read-only disks: a small tmpfs in a mount namespace of the test's own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};

use serde_json::Value;

use crate::run::{DataDir, ours, skip};

/// Runs a shell script in a mount namespace where the data directory is a tmpfs with these options. The variable
/// `P` in it is the plugin, `D` the data directory, `conf` the configuration.
fn in_tmpfs(options: &str, script: &str) -> Option<(DataDir, Output)> {
    let data = DataDir::new();
    let mut conf = data.subnet("10.7.0.0/24");
    conf["cniVersion"] = "1.1.0".into();
    let setup = format!("mount -t tmpfs -o {options} none \"$D\" || exit 99\n");
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let own_mounts: &[&str] = if root { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let mut command = Command::new("unshare");
    command.args(own_mounts).args(["sh", "-c", &(setup + script)]);
    command.env("P", ours()).env("D", data.path()).env("conf", conf.to_string());
    command
        .env("CNI_CONTAINERID", "a")
        .env("CNI_IFNAME", "eth0")
        .env("CNI_PATH", "/x")
        .env("CNI_NETNS", "/x");
    let output = command.output().unwrap();
    if output.status.code() == Some(99) || String::from_utf8_lossy(&output.stderr).starts_with("unshare:") {
        skip(&format!("no private tmpfs here: {}", String::from_utf8_lossy(&output.stderr)));
        return None;
    }
    Some((data, output))
}

/// Every amount of space and of inodes up to enough: the ADD works, or it fails and leaves nothing.
#[test]
fn a_full_disk_leaves_nothing() {
    let (mut failed, mut worked) = (0, 0);
    // In pages of 4 KiB and inodes; the root directory takes one inode.
    let limits = (1..6).map(|pages| format!("size={}k", pages * 4));
    for options in limits.chain((2..9).map(|inodes| format!("nr_inodes={inodes}"))) {
        let script = "mkdir -p $D/n; touch $D/n/lock; dd if=/dev/zero of=$D/fill bs=4k count=1 2>/dev/null
            echo \"$conf\" | CNI_COMMAND=ADD $P > /dev/shm/$$.reply; rc=$?; ls -A $D/n | grep -v lock | tr '\\n' ' '
            wc -c $D/n/10.* 2>/dev/null | tr -s ' '; echo; echo rc=$rc; cat /dev/shm/$$.reply; rm /dev/shm/$$.reply";
        let Some((_data, output)) = in_tmpfs(&options, script) else { return };
        let text = String::from_utf8(output.stdout).unwrap();
        let (left, reply) = text.split_once("rc=").unwrap();
        let (status, json) = reply.split_once('\n').unwrap();
        let json: Value = serde_json::from_str(json).unwrap();
        if status == "0" {
            worked += 1;
            assert!(
                left.contains("10.7.0.2") && left.contains("7 ") && left.contains("last_reserved_ip.0"),
                "{left}"
            );
        } else {
            failed += 1;
            assert_eq!((left.trim(), json["code"].as_u64()), ("", Some(5)), "{options}: {json}");
            assert!(json.to_string().contains("No space left"), "{json}");
        }
    }
    assert!(failed >= 3 && worked >= 3, "{failed} failed and {worked} worked: the limits miss the point");
}

#[test]
fn status_says_50_on_a_read_only_and_on_a_full_disk() {
    let run = "echo \"$conf\" | CNI_COMMAND=STATUS $P";
    for (options, script, wanted) in [
        ("size=1m", format!("mount -o remount,ro $D; {run}"), "Read-only"),
        ("size=1m", format!("mkdir $D/n; touch $D/n/lock; mount -o remount,ro $D; {run}"), "Read-only"),
        ("nr_inodes=4", format!("mkdir $D/n; touch $D/n/lock; touch $D/x $D/y; {run}"), "No space left"),
    ] {
        let Some((data, output)) = in_tmpfs(options, &script) else { return };
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["code"], 50, "{script}: {json}");
        assert!(json.to_string().contains(wanted), "{script}: {json}");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
