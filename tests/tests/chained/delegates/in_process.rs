//! What is of the same build is called, what is not is executed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use cni_tests::{Call, Conf, Host, Outcome, Place, Trace, needs};
use serde_json::json;

/// A directory in front of the suite's in `CNI_PATH`.
const FIRST: &str = "/run/first";
const OURS: &str = "/run/cni-tests/ours";

/// The programs that were run, and what came of it.
fn programs(call: Call, run: impl FnOnce(Call) -> Outcome) -> (Vec<String>, Outcome) {
    let trace = Trace::new(&["trace=execve"]);
    let outcome = run(call.under(&trace.command()));
    let program = |line: &String| Some(line.split_once("execve(\"")?.1.split('"').next()?.to_owned());
    let lines = trace.lines().into_iter().filter(|line| line.ends_with("= 0"));
    (lines.filter_map(|line| program(&line)).collect(), outcome)
}

fn flannel() -> Conf {
    Conf::new(json!({ "cniVersion": "1.1.0", "name": "cbr0", "type": "flannel" }))
}

#[test]
fn a_chain_of_delegates_is_one_execve_on_every_verb() {
    needs!(Strace);
    let host = Host::new();
    fs::create_dir_all("/run/flannel").unwrap();
    let env =
        "FLANNEL_NETWORK=10.6.0.0/16\nFLANNEL_SUBNET=10.6.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
    fs::write("/run/flannel/subnet.env", env).unwrap();
    for (name, conf) in [
        ("bridge", Conf::bridge().version("1.1.0")),
        ("ptp", Conf::ptp().version("1.1.0")),
        (
            "ptp",
            Conf::ptp().set("ipam", json!({ "type": "static", "addresses": [{ "address": "10.9.0.2/24", "gateway": "10.9.0.1" }] })),
        ),
        ("flannel", flannel()),
    ] {
        let (pod, conf) = (host.container("pod"), conf.version("1.1.0"));
        let one = |what: &str, (programs, outcome): (Vec<String>, Outcome)| {
            assert_eq!(programs, [format!("{OURS}/{name}")], "{name} {what}");
            outcome
        };
        let plugin = || host.plugin(name);
        one("STATUS", programs(plugin(), |call| call.status(&conf))).done();
        let result = one("ADD", programs(plugin(), |call| call.add(&conf, &pod, "eth0"))).result();
        one("CHECK", programs(plugin(), |call| call.check(&conf.clone().prev(&result), &pod, "eth0"))).done();
        one("GC", programs(plugin(), |call| call.gc(&conf, &[(&pod, "eth0")]))).done();
        one("CHECK", programs(plugin(), |call| call.check(&conf.clone().prev(&result), &pod, "eth0"))).done();
        // GC tells flannel's delegate of another attachment than the environment's.
        if name == "flannel" {
            one("GC of all", programs(plugin(), |call| call.gc(&conf, &[]))).done();
        } else {
            one("DEL", programs(plugin(), |call| call.del(&conf, &pod, "eth0"))).done();
        }
        assert!(pod.find_link("eth0").is_none(), "{name}");
        assert_eq!(host.sh("find /var/lib/cni -name '1*.*.*.*'"), "", "{name}: no address is held");
        pod.remove_netns();
    }
}

/// The file with a digit of the build's identity changed, or all of it gone.
fn changed(change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut file = fs::read(format!("{OURS}/host-local")).unwrap();
    let is_build = |note: &[u8]| note.starts_with(b"CNI\0") && note[4..].iter().all(u8::is_ascii_hexdigit);
    let at = file.windows(36).position(is_build).expect("the build's note");
    file[at + 35] = change(file[at + 35]);
    file
}

#[test]
fn what_is_not_of_this_build_is_executed() {
    needs!(Strace);
    let host = Host::new();
    fs::create_dir_all(FIRST).unwrap();
    let file = format!("{FIRST}/host-local");
    let put = |content: &[u8]| {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let same = changed(|digit| digit);
    // What it is, how it comes about, whether it is executed.
    let cases: [(&str, &dyn Fn(), bool); 8] = [
        ("of this build", &|| put(&same), false),
        ("a link to one", &|| symlink(format!("{OURS}/host-local"), &file).unwrap(), false),
        ("of another build", &|| put(&changed(|digit| digit ^ 1)), true),
        (
            "without its note",
            &|| {
                put(&same);
                host.run(&format!("objcopy --remove-section .note.cni {file}"));
            },
            true,
        ),
        ("a script", &|| put(format!("#!/bin/sh\nexec {OURS}/host-local\n").as_bytes()), true),
        ("of another name", &|| symlink(format!("{OURS}/static"), &file).unwrap(), true),
        ("no executable", &|| put(b"\x7fELF"), true),
        (
            "of this build, and not executable",
            &|| {
                put(&same);
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            },
            true,
        ),
    ];
    let path = format!("{FIRST}:{OURS}");
    for (what, make, is_executed) in cases {
        make();
        let pod = host.container("pod");
        let call = || host.plugin("bridge").env("CNI_PATH", &path);
        let (ran, outcome) = programs(call(), |call| call.add(&Conf::bridge(), &pod, "eth0"));
        let refused = match what {
            "no executable" => Some("ENOEXEC"),
            "of this build, and not executable" => Some("chmod +x"),
            // static, which has no address to give.
            "of another name" => Some("IPAM plugin returned missing IP config"),
            _ => None,
        };
        match refused {
            Some(why) => outcome.error().says(102, &[why]),
            None => assert_eq!(pod.addresses("eth0").len(), 1, "{what}: {outcome:?}"),
        }
        let executions = ran.iter().filter(|program| **program == file).count();
        // Where the kernel refuses it there is none that succeeds; where ADD fails there is a DEL.
        let expected = match refused {
            Some("ENOEXEC" | "chmod +x") => 0,
            Some(_) => 2,
            None => usize::from(is_executed),
        };
        assert_eq!(executions, expected, "{what}: {ran:?}");
        call().del(&Conf::bridge(), &pod, "eth0");
        fs::remove_file(&file).unwrap();
        pod.remove_netns();
    }
}

#[test]
fn a_reference_host_local_is_executed_and_what_it_reserved_is_released_by_ours() {
    needs!(Strace, Reference);
    let host = Host::new();
    fs::create_dir_all(FIRST).unwrap();
    symlink("/run/cni-tests/reference/host-local", format!("{FIRST}/host-local")).unwrap();
    let pod = host.container("pod");
    let call = || host.plugin("bridge").env("CNI_PATH", format!("{FIRST}:{OURS}"));
    let (ran, outcome) = programs(call(), |call| call.add(&Conf::bridge(), &pod, "eth0"));
    outcome.result();
    assert_eq!(ran, [format!("{OURS}/bridge"), format!("{FIRST}/host-local")]);
    host.plugin("bridge").del(&Conf::bridge(), &pod, "eth0").done();
    assert_eq!(host.sh("find /var/lib/cni -name '10.*'"), "");
}

/// Which build a file is of is seen in one opening and one read: the bound of 30 µs.
#[test]
fn the_look_at_a_delegates_note_is_one_open_and_one_read() {
    needs!(Strace);
    let host = Host::new();
    let pod = host.container("pod");
    let trace = Trace::new(&["trace=openat,open,pread64,read,mmap"]);
    host.plugin("bridge").under(&trace.command()).add(&Conf::bridge(), &pod, "eth0").result();
    let lines = trace.lines();
    let opened: Vec<_> =
        lines.iter().enumerate().filter(|(_, line)| line.contains("ours/host-local")).collect();
    assert_eq!(opened.len(), 1, "{opened:?}");
    let behind = &lines[opened[0].0 + 1..];
    assert!(behind[0].contains("pread64(") && behind[0].contains("ELF"), "{behind:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("pread64(") && line.contains("ELF")).count(), 1);
}
