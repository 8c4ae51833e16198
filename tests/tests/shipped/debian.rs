//! What the Debian package's scripts ask of systemd.

use std::fs;
use std::path::Path;

use cni_tests::{ANCHOR, Host, Place, run};

#[test]
fn removing_the_package_stops_every_unit_and_disables_what_mends() {
    let host = Host::new();
    host.own_etc();
    host.sh("mkdir -p /run/systemd/system /run/bin /etc/systemd/system/timers.target.wants");
    host.sh("printf '#!/bin/sh\\necho \"$@\" >> /run/asked\\n' > /run/bin/systemctl; chmod 755 /run/bin/systemctl");
    let link = "/etc/systemd/system/timers.target.wants/cni-gc.timer";
    std::os::unix::fs::symlink("/lib/systemd/system/cni-gc.timer", link).unwrap();
    let path = format!("/run/bin:{}", std::env::var("PATH").unwrap());
    let script = |name: &str, argument: &str| {
        let file = format!("{ANCHOR}/packaging/debian/{name}");
        let done = run(host.command("sh").args([&file, argument]).env("PATH", &path), b"");
        assert!(done.status.success(), "{name} {argument}: {done:?}");
        fs::read_to_string("/run/asked").unwrap_or_default()
    };
    assert_eq!(script("prerm", "upgrade"), "");
    let asked = script("prerm", "remove");
    let stopped = asked.lines().find(|line| line.starts_with("stop ")).unwrap();
    let files = fs::read_dir(format!("{ANCHOR}/packaging")).unwrap().map(|file| file.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap());
    let is_unit = |name: &String| [".service", ".socket", ".timer"].iter().any(|end| name.ends_with(end));
    let units: Vec<_> = files.filter(is_unit).collect();
    assert!(units.len() >= 5 && units.iter().all(|unit| stopped.contains(unit)), "{units:?}: {stopped}");
    assert!(asked.contains("disable cni-gc.timer cni-restore.service"), "{asked}");
    script("postrm", "remove");
    assert!(Path::new(link).symlink_metadata().is_err(), "where there was no systemctl");
}
