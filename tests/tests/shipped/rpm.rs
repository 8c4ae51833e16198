//! What the RPM package's scriptlets ask of systemd. `packaging/test/rpm` has rpm run them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cni_tests::{ANCHOR, Host, Place, run};

#[test]
fn scriptlets_stop_and_disable_when_the_package_goes_and_only_then() {
    let host = Host::new();
    host.own_etc();
    let wanted = "/etc/systemd/system/timers.target.wants";
    host.sh(&format!("mkdir -p /run/systemd/system /run/bin {wanted}"));
    // Whatever it is asked: it is enabled, and it runs.
    host.sh("printf '#!/bin/sh\\necho \"$@\" >> /run/asked\\n' > /run/bin/systemctl; chmod 755 /run/bin/systemctl");
    host.sh("cd /run/bin && ln systemctl systemd-tmpfiles");
    let path = format!("/run/bin:{}", std::env::var("PATH").unwrap());
    // What it has asked; `left` is how many of the package there will be, as rpm tells.
    let asked = |name: &str, left: &str| {
        fs::write("/run/asked", "").unwrap();
        let file = format!("{ANCHOR}/packaging/fedora/{name}");
        let done = run(host.command("sh").args([&file, left]).env("PATH", &path), b"");
        assert!(done.status.success(), "{name} {left}: {done:?}");
        fs::read_to_string("/run/asked").unwrap()
    };
    // In the place of another's package, whose scriptlets come in between.
    asked("pre", "1");
    let new = asked("post", "1");
    let go_on =
        "enable cni-dhcp.socket\nstart cni-dhcp.socket\nenable cni-dhcp.service\nstart cni-dhcp.service\n";
    assert_eq!(new, "--system daemon-reload\n--create cni-plugins.conf\ntry-restart cni-dhcp.service\n");
    assert_eq!(asked("posttrans", "1"), format!("--system daemon-reload\n{go_on}"));
    // The next of ours.
    assert_eq!((asked("pre", "2"), asked("post", "2")), (String::new(), new));
    let old = ["preun", "postun", "posttrans"].map(|name| asked(name, "1"));
    assert_eq!(old, ["", "", ""]);
    // The last.
    let link = format!("{wanted}/cni-gc.timer");
    symlink("/usr/lib/systemd/system/cni-gc.timer", &link).unwrap();
    let gone = asked("preun", "0");
    let (stopped, disabled) = gone.trim().split_once('\n').unwrap();
    let files = fs::read_dir(format!("{ANCHOR}/packaging")).unwrap().map(|file| file.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap());
    let is_unit = |name: &String| [".service", ".socket", ".timer"].iter().any(|end| name.ends_with(end));
    let units: Vec<_> = files.filter(is_unit).collect();
    assert!(units.len() >= 5 && units.iter().all(|unit| stopped.contains(unit)), "{units:?}: {stopped}");
    // The unit of a timer is not enabled by itself.
    let enabled = units.iter().filter(|unit| *unit != "cni-gc.service");
    assert!(
        disabled.contains(" disable ") && enabled.clone().all(|unit| disabled.contains(unit)),
        "{disabled}"
    );
    assert_eq!(asked("postun", "0"), "--system daemon-reload\n");
    assert!(Path::new(&link).symlink_metadata().is_err(), "where there was no systemctl");
}
