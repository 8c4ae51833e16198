//! `cnitool install` and `cnitool version`: directories of plugins, their owners, and every way in which it can go
//! wrong.

mod kit;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};

use cni_tests::{Host, Place, Service, Suite, Trace, kill_at_each, needs, plugins};

use kit::{DIR, FROM, answers_version, fake, install, install_ok, mode_of, names_in, version};

/// What an installation does to files: each of these could be its last.
const CALLS: [&str; 9] =
    ["openat", "copy_file_range", "write", "fchmod", "fsync", "link,linkat", "rename", "unlink", "flock"];

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn every_plugin_is_installed_and_then_is_there() {
    let _host = Host::new();
    kit::dirs();
    let source = Suite::Ours.source();
    let text = install_ok(&["--from", source.to_str().unwrap(), DIR]);
    assert_eq!(names_in(DIR), plugins());
    for name in plugins() {
        assert!(answers_version(&format!("{DIR}/{name}")), "{name}");
        assert_eq!(mode_of(&name), 0o755, "{name}");
        assert!(
            text.lines().any(|line| line.contains(&name) && line.ends_with("installed")),
            "{name}: {text}"
        );
    }
    let before = fs::metadata(format!("{DIR}/bridge")).unwrap().ino();
    let text = install_ok(&["--from", source.to_str().unwrap(), DIR]);
    assert_eq!(text.matches("is there").count(), plugins().len(), "{text}");
    assert_eq!(fs::metadata(format!("{DIR}/bridge")).unwrap().ino(), before, "untouched");
    assert!(install(&["--from", source.to_str().unwrap(), "--verify", DIR]).0);
}

#[test]
fn newer_and_foreign_executables_stay_unless_forced() {
    let _host = Host::new();
    kit::dirs();
    let there = [
        ("bridge", "CNI bridge plugin v1.9.1", ""),
        ("ptp", "CNI ptp plugin version unknown", ""),
        ("tap", "CNI tap plugin v99.0.0", "CNI plugins in Rust"),
        ("vlan", "some other program", ""),
        ("vrf", "CNI vrf plugin v0.0.1", "CNI plugins in Rust"),
    ];
    let lay = || {
        for (name, first, last) in there {
            fake(DIR, name, first, last);
            fake(FROM, name, &format!("CNI {name} plugin v{VERSION}"), "CNI plugins in Rust");
        }
        fake(FROM, "sbr", &format!("CNI sbr plugin v{VERSION}"), "CNI plugins in Rust");
        fs::remove_file(format!("{DIR}/sbr")).ok();
    };
    let is_new = |name: &str| {
        fs::read(format!("{DIR}/{name}")).unwrap() == fs::read(format!("{FROM}/{name}")).unwrap()
    };
    let new = || there.map(|(name, ..)| name).into_iter().filter(|name| is_new(name)).collect::<Vec<_>>();

    lay();
    let (done, text, _) = install(&["--from", FROM, DIR]);
    assert!(!done, "something was held back: {text}");
    assert_eq!(new(), ["bridge", "vrf"], "{text}");
    assert!(is_new("sbr"));
    for (name, gist) in [
        ("ptp", "its version is not known"),
        ("tap", "it is newer"),
        ("vlan", "foreign"),
        ("bridge", "reference v1.9.1"),
    ] {
        assert!(text.lines().any(|line| line.contains(name) && line.contains(gist)), "{name} {gist}: {text}");
    }

    lay();
    install_ok(&["--from", FROM, "--only-missing", DIR]);
    assert_eq!(new(), [""; 0]);
    assert!(is_new("sbr"));

    lay();
    install_ok(&["--from", FROM, "--force", DIR]);
    assert_eq!(new(), ["bridge", "ptp", "tap", "vlan", "vrf"]);

    lay();
    install_ok(&["--from", FROM, "--plugins", "sbr,bridge", DIR]);
    assert_eq!(new(), ["bridge"]);
}

#[test]
fn verify_names_what_differs_and_writes_nothing() {
    let _host = Host::new();
    kit::lay_versions();
    let (done, text, _) = install(&["--from", FROM, "--verify", DIR]);
    assert!(!done && text.contains("DIFFERS"), "{text}");
    fs::remove_file(format!("{DIR}/tap")).unwrap();
    fs::set_permissions(format!("{FROM}/ptp"), fs::Permissions::from_mode(0o755)).unwrap();
    let (done, text, _) = install(&["--from", FROM, "--verify", DIR]);
    assert!(!done && text.contains("MISSING"), "{text}");
    assert_eq!(names_in(DIR), ["ptp"]);
    install_ok(&["--from", FROM, DIR]);
    install_ok(&["--from", FROM, "--verify", DIR]);
    fs::set_permissions(format!("{DIR}/ptp"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!install(&["--from", FROM, "--verify", DIR]).0, "it cannot be executed");
    install_ok(&["--from", FROM, "--force", DIR]);
    assert_eq!(mode_of("ptp"), 0o755);
}

#[test]
fn with_stay_it_goes_on_until_a_signal() {
    let _host = Host::new();
    for (signal, code) in [("TERM", Some(0)), ("INT", Some(0)), ("HUP", Some(0))] {
        kit::lay_versions();
        let mut command = std::process::Command::new(Suite::Ours.source().join("cnitool"));
        let service = Service::start(command.args(["install", "--stay", "--from", FROM, DIR]));
        service.line(&["tap", "replaced"]);
        assert!(answers_version(&format!("{DIR}/tap")));
        assert_eq!(service.end(signal).code(), code, "{signal}");
    }
    fake(DIR, "tap", "foreign", "");
    assert!(!install(&["--stay", "--from", FROM, DIR]).0, "a failure does not stay");
}

#[test]
fn hard_links_stay_and_become_copies_where_there_are_none() {
    needs!(Strace);
    let _host = Host::new();
    kit::dirs();
    kit::many_named(FROM, &["bridge", "ptp", "tap"], VERSION);
    let inodes = || ["bridge", "ptp", "tap"].map(|name| fs::metadata(format!("{DIR}/{name}")).unwrap().ino());
    install_ok(&["--from", FROM, DIR]);
    let [bridge, ptp, tap] = inodes();
    assert!(bridge == ptp && ptp == tap, "one file");
    // One of them is lost: it becomes a link to the others again.
    fs::remove_file(format!("{DIR}/ptp")).unwrap();
    install_ok(&["--from", FROM, DIR]);
    assert_eq!(inodes(), [bridge; 3]);

    // What vfat says.
    kit::dirs();
    kit::many_named(FROM, &["bridge", "ptp", "tap"], VERSION);
    let trace = Trace::new(&["trace=linkat,link", "inject=linkat,link:error=EPERM"]);
    let (done, text, stderr) = kit::install_under(&trace.command(), &["--from", FROM, DIR]);
    assert!(done, "{text}{stderr}");
    assert!(trace.lines().iter().any(|line| line.contains("INJECTED")), "{:?}", trace.lines());
    let [bridge, ptp, tap] = inodes();
    assert!(bridge != ptp && ptp != tap);
    assert!(answers_version(&format!("{DIR}/tap")));
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_that_names_the_file_and_changes_nothing() {
    let host = Host::new();
    kit::lay_versions();
    let old = fs::read(format!("{DIR}/ptp")).unwrap();
    let fails = |dir: &str, gists: &[&str]| {
        let (done, text, stderr) = install(&["--from", FROM, dir]);
        assert!(!done && text.is_empty(), "{dir}: {text}");
        assert!(gists.iter().all(|gist| stderr.contains(gist)), "{dir}: {stderr}");
        assert_eq!(fs::read(format!("{DIR}/ptp")).unwrap(), old, "{dir}");
        assert_eq!(names_in(DIR), ["ptp", "tap"], "{dir}");
    };
    fails("/run/nowhere", &["/run/nowhere", "ENOENT", "make it first"]);
    fails("/run/from/tap", &["/run/from/tap is no directory"]);
    host.run(&format!("mount --bind -o ro {DIR} {DIR}"));
    host.run(&format!("mount -o remount,bind,ro {DIR}"));
    fails(DIR, &[DIR, "EROFS"]);
    host.run(&format!("umount {DIR}"));
    fs::create_dir(format!("{DIR}/vlan")).unwrap();
    fake(FROM, "vlan", &format!("CNI vlan plugin v{VERSION}"), "CNI plugins in Rust");
    let (done, _, stderr) = install(&["--from", FROM, DIR]);
    assert!(!done && stderr.contains(&format!("{DIR}/vlan is a directory")), "{stderr}");
    assert_eq!(fs::read(format!("{DIR}/ptp")).unwrap(), old, "nothing was begun");
}

#[test]
fn on_a_full_file_system_the_old_executables_stay() {
    let host = Host::new();
    kit::dirs();
    host.run(&format!("mount -t tmpfs -o size=64k tmpfs {DIR}"));
    kit::lay_versions();
    // Two files: room for the first, not for the second.
    let mut large = fs::read(format!("{FROM}/tap")).unwrap();
    large.resize(100 << 10, b'#');
    fs::write(format!("{FROM}/tap"), large).unwrap();
    let old = ["ptp", "tap"].map(|name| fs::read(format!("{DIR}/{name}")).unwrap());
    let (done, _, stderr) = install(&["--from", FROM, DIR]);
    assert!(!done && stderr.contains("ENOSPC") && stderr.contains(&format!("{DIR}/.tap")), "{stderr}");
    assert_eq!(["ptp", "tap"].map(|name| fs::read(format!("{DIR}/{name}")).unwrap()), old, "neither");
    assert_eq!(names_in(DIR), ["ptp", "tap"], "no temporary file");
}

#[test]
fn killed_at_every_call_it_leaves_whole_executables_and_the_next_run_finishes() {
    needs!(Strace);
    let _host = Host::new();
    kill_at_each(&CALLS, |trace, when| {
        kit::lay_versions();
        kit::install_under(&trace.command(), &["--from", FROM, DIR]);
        for name in ["ptp", "tap"] {
            assert!(answers_version(&format!("{DIR}/{name}")), "{name}: {when}");
        }
        install_ok(&["--from", FROM, DIR]);
        install_ok(&["--from", FROM, "--verify", DIR]);
        assert_eq!(names_in(DIR), ["ptp", "tap"], "{when}");
    });
}

#[test]
fn version_never_fails_during_100_installs() {
    let _host = Host::new();
    kit::dirs();
    let source = Suite::Ours.source().join("loopback");
    let others = ["/run/a", "/run/b"];
    for (other, more) in others.iter().zip([&b""[..], b"x"]) {
        fs::create_dir(other).unwrap();
        let bytes = [&fs::read(&source).unwrap(), more].concat();
        kit::write_executable(&format!("{other}/loopback"), &bytes);
    }
    install_ok(&["--from", others[0], DIR]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let loop_ = scope.spawn(|| {
            let mut calls = 0;
            while !done.load(Ordering::Relaxed) {
                assert!(answers_version(&format!("{DIR}/loopback")), "call {calls}");
                calls += 1;
            }
            calls
        });
        for n in 1..=100 {
            let text = install_ok(&["--from", others[n % 2], DIR]);
            assert!(text.contains("replaced"), "{text}");
        }
        done.store(true, Ordering::Relaxed);
        let calls = loop_.join().unwrap();
        assert!(calls >= 100, "{calls} calls");
    });
}

#[test]
fn new_files_have_the_label_of_the_directory() {
    needs!(Setfattr);
    let host = Host::new();
    kit::dirs();
    fake(FROM, "tap", &format!("CNI tap plugin v{VERSION}"), "CNI plugins in Rust");
    host.run(&format!("setfattr -n security.selinux -v system_u:object_r:container_file_t:s0 {DIR}"));
    install_ok(&["--from", FROM, DIR]);
    let label = host.run(&format!("getfattr --only-values --absolute-names -n security.selinux {DIR}/tap"));
    assert_eq!(label, "system_u:object_r:container_file_t:s0");
}

#[test]
fn a_source_that_cannot_be_installed_is_named() {
    let _host = Host::new();
    kit::dirs();
    fake(DIR, "tap", "CNI tap plugin v1.9.1", "");
    let fails = |arguments: &[&str], gists: &[&str]| {
        let (done, text, stderr) = install(arguments);
        assert!(!done && text.is_empty(), "{arguments:?}: {text}");
        assert!(gists.iter().all(|gist| stderr.contains(gist)), "{arguments:?}: {stderr}");
        assert!(answers_version(&format!("{DIR}/tap")), "the old one works");
    };
    fails(&["--from", FROM, DIR], &["there are no plugins in /run/from", "--from"]);
    fails(
        &["--from", FROM, "--plugins", "tap,brigde", DIR],
        &["there is no plugin \"brigde\"", "bridge, dhcp"],
    );
    fails(&["--from", FROM, "--plugins", "tap", DIR], &["/run/from/tap", "ENOENT"]);
    fake(FROM, "tap", "CNI tap plugin v1.9.1", "");
    fails(&["--from", FROM, DIR], &["/run/from/tap", "not of this suite"]);
    // An executable of another machine: the number in the header's 19th and 20th byte (elf(5)).
    let mut bytes = fs::read(Suite::Ours.source().join("loopback")).unwrap();
    bytes[18..20].copy_from_slice(&[0x16, 0xee]);
    kit::write_executable("/run/from/tap", &bytes);
    fails(&["--from", FROM, DIR], &["/run/from/tap", "is for ELF machine", "cnitool for"]);
}

#[test]
fn the_versions_satisfy_the_gates_of_runtimes() {
    let _host = Host::new();
    let source = Suite::Ours.source();
    // Nomad's rule: the first version in the output is 0.4.0 or later. nerdctl's: behind "CNI firewall plugin " stands
    // a version and nothing else, 1.7.1 or later.
    for name in ["bridge", "firewall", "host-local", "loopback", "portmap"] {
        let (status, said) = kit::without_command(&source.join(name));
        assert!(status, "{name}");
        assert_eq!(said.lines().next(), Some(format!("CNI {name} plugin v{VERSION}").as_str()));
    }
    let numbers: Vec<u64> = VERSION.split('.').map(|number| number.parse().unwrap()).collect();
    assert!(numbers >= vec![1, 7, 1], "{VERSION}");
    let text = version(source.to_str().unwrap());
    for runtime in ["Nomad", "nerdctl"] {
        assert!(
            text.lines().any(|line| line.contains(&format!("{runtime}  ")) && line.contains("  content ")),
            "{text}"
        );
    }
    for name in plugins() {
        let ours = format!("ours v{VERSION}");
        assert!(text.lines().any(|line| line.contains(&name) && line.contains(&ours)), "{name}: {text}");
    }
}

#[test]
fn what_is_installed_where() {
    let _host = Host::new();
    kit::dirs();
    fake(DIR, "firewall", "CNI firewall plugin v1.1.1", "");
    fake(DIR, "tap", "hello", "");
    fake(DIR, "cilium-cni", "no", "");
    kit::write_executable(&format!("{DIR}/reboot"), b"#!/bin/sh\ntouch /run/was-run\n");
    fs::write(format!("{DIR}/README"), "no executable").unwrap();
    let text = version(DIR);
    for (name, gist) in [
        ("firewall", "reference v1.1.1"),
        ("tap", "foreign"),
        ("bridge", "missing"),
        ("cilium-cni", "no plugin of ours: not run"),
        ("reboot", "no plugin of ours: not run"),
        ("Nomad", "NOT CONTENT  no bridge networks: bridge is missing"),
        ("nerdctl", "NOT CONTENT  icc=false"),
    ] {
        assert!(
            text.lines().any(|line| line.trim().starts_with(name) && line.contains(gist)),
            "{name}: {text}"
        );
    }
    assert!(!text.contains("README"), "{text}");
    assert!(!fs::exists("/run/was-run").unwrap(), "only what has a plugin's name is run");
}

#[test]
fn the_reference_of_debian_does_not_know_its_version() {
    needs!(Reference);
    let _host = Host::new();
    let text = version(Suite::Reference.source().to_str().unwrap());
    assert!(text.contains("reference, version unknown"), "{text}");
    assert!(text.contains("bridge passes for v0.1.0"), "{text}");
}
