//! `make install` and the parts of `make release` that do not build: on executables that are there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use cni_tests::{ANCHOR, Host, Place, Suite, needs, plugins, run};

/// Runs a script of the repository with these variables; its stdout.
fn script(words: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = Command::new(words[0]);
    let done = run(command.args(&words[1..]).envs(env.iter().copied()).current_dir(ANCHOR), b"");
    assert!(done.status.success(), "{words:?}: {}{}", String::from_utf8_lossy(&done.stdout), done.stderr);
    String::from_utf8(done.stdout).unwrap()
}

fn make_install(variables: &[String]) {
    let bin = format!("BIN={}", Suite::Ours.source().display());
    let words = ["make", "-s", "install", &bin].into_iter().chain(variables.iter().map(String::as_str));
    script(&words.collect::<Vec<_>>(), &[]);
}

fn names_in(dir: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn make_install_fills_the_root_of_a_package() {
    let _host = Host::new();
    let variables =
        ["DESTDIR=/run/root", "PREFIX=/usr", "CNIDIR=/usr/lib/cni", "UNITDIR=/lib/systemd/system"]
            .map(str::to_owned);
    make_install(&variables);
    assert_eq!(names_in("/run/root/usr/lib/cni"), plugins());
    assert_eq!(names_in("/run/root/usr/bin"), ["cnitool"]);
    assert_eq!(
        names_in("/run/root/lib/systemd/system"),
        ["cni-dhcp.service", "cni-dhcp.socket", "cni-gc.service", "cni-gc.timer", "cni-restore.service"]
    );
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("/run/root/usr/lib/cni/bridge"), 0o755);
    assert_eq!(mode("/run/root/lib/systemd/system/cni-dhcp.service"), 0o644);
    let unit = fs::read_to_string("/run/root/lib/systemd/system/cni-dhcp.service").unwrap();
    assert!(unit.contains("ExecStart=/usr/lib/cni/dhcp daemon"), "{unit}");
    for (name, gist) in [("gc", "gc --keep ${CNI_GC_KEEP} --yes"), ("restore", "restore")] {
        let unit = fs::read_to_string(format!("/run/root/lib/systemd/system/cni-{name}.service")).unwrap();
        assert!(unit.contains(&format!("ExecStart=/usr/bin/cnitool {gist}")), "{unit}");
        assert!(unit.contains("CNI_PATH=/usr/lib/cni\n"), "{unit}");
    }
}

#[test]
fn make_install_replaces_a_running_plugin_and_keeps_hard_links() {
    let host = Host::new();
    let bin = "/run/from";
    fs::create_dir_all(bin).unwrap();
    for name in plugins().iter().map(String::as_str).chain(["cnitool"]) {
        // One file, as `make dist ONE=1` makes it.
        if name != plugins()[0] && name != "cnitool" {
            fs::hard_link(format!("{bin}/{}", plugins()[0]), format!("{bin}/{name}")).unwrap();
        } else {
            fs::copy("/bin/sleep", format!("{bin}/{name}")).unwrap();
        }
    }
    let install = || {
        let words = ["make", "-s", "install", "BIN=/run/from", "CNIDIR=/run/bin", "PREFIX=/run/usr"];
        script(&words, &[]);
    };
    install();
    let mut running = Command::new("/run/bin/tap").arg("infinity").spawn().unwrap();
    install();
    host.run("cmp /run/from/tap /run/bin/tap");
    running.kill().unwrap();
    running.wait().unwrap();
    let inode = |name: &str| fs::metadata(format!("/run/bin/{name}")).unwrap().ino();
    assert!(plugins().iter().all(|name| inode(name) == inode("bridge")), "hard links");
    assert_eq!(names_in("/run/bin"), plugins(), "no temporary file");
}

/// A release of executables that are there already, in a directory of its own; its files and their contents.
fn release(dist: &str, umask: &str) -> Vec<(String, Vec<u8>)> {
    let env = [("DIST", dist), ("BUILT", "/run/built"), ("SOURCE_DATE_EPOCH", "1700000000")];
    script(&["sh", "-c", &format!("umask {umask} && packaging/release amd64 s390x")], &env);
    names_in(dist)
        .into_iter()
        .map(|name| (name.clone(), fs::read(Path::new(dist).join(name)).unwrap()))
        .collect()
}

#[test]
fn a_release_is_the_same_twice_and_is_what_consumers_read() {
    needs!(ReleaseTools);
    let host = Host::new();
    for goarch in ["amd64", "s390x"] {
        for form in ["separate", "one"] {
            let dir = format!("/run/built/{goarch}/{form}");
            host.sh(&format!("mkdir -p {dir} && cd {dir} && cp /bin/true bridge && cp /bin/true cnitool"));
            for name in plugins().iter().filter(|name| *name != "bridge") {
                host.sh(&format!("cd {dir} && ln bridge {name}"));
            }
        }
    }
    let first = release("/run/one", "022");
    // Other times, other modes, another umask, other order in the directory.
    host.sh("cd /run/built/amd64/separate && touch -d 2001-01-01 tap && chmod 775 tap && mv bridge x && mv x bridge");
    let second = release("/run/two/deeper", "077");
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    let version = env!("CARGO_PKG_VERSION");
    for goarch in ["amd64", "s390x"] {
        for artefact in [
            format!("cni-plugins-linux-{goarch}-v{version}.tgz"),
            format!("cni-plugins-linux-{goarch}-v{version}.tar.xz"),
            format!("cnitool-linux-{goarch}-v{version}.tgz"),
        ] {
            assert!(names.contains(&artefact.as_str()), "{artefact}: {names:?}");
            host.sh(&format!(
                "cd /run/one && sha256sum -c {artefact}.sha256 && sha512sum -c {artefact}.sha512"
            ));
        }
    }
    for ((name, one), (_, two)) in first.iter().zip(&second) {
        assert!(one == two, "{name} differs");
    }
    let listing = host.run(&format!("tar -tvzf /run/one/cni-plugins-linux-amd64-v{version}.tgz"));
    assert_eq!(listing.matches("link to ./bandwidth").count(), plugins().len() - 1, "{listing}");
    assert!(listing.contains("./LICENSE") && listing.contains("./THIRD-PARTY"), "{listing}");
    assert!(listing.lines().all(|line| line.contains(" 0/0 ")), "root's: {listing}");
    let scriptlets = host.run(&format!("rpm -qp --scripts /run/one/cni-plugins-{version}-1.x86_64.rpm"));
    for when in ["preinstall", "postinstall", "preuninstall", "postuninstall", "posttrans"] {
        assert!(scriptlets.contains(&format!("{when} scriptlet")), "{when}: {scriptlets}");
    }
    let notes = fs::read_to_string("/run/one/RELEASE-NOTES.md").unwrap();
    assert!(
        notes.starts_with(&format!("# cni-plugins {version}\n")) && notes.contains("The first release"),
        "{notes}"
    );
}

#[test]
fn the_bill_of_materials_names_what_is_linked() {
    needs!(ReleaseTools);
    let host = Host::new();
    host.sh(&format!("cd {ANCHOR} && packaging/packages > /run/packages && packaging/sbom 2.0.0 0 < /run/packages > /run/sbom"));
    let bill = host.json("cat /run/sbom");
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let components = bill["components"].as_array().unwrap();
    let find = |name: &str| components.iter().find(|component| component["name"] == name);
    for name in ["plugin-bridge", "cni-types", "serde_json", "tokio", "nix"] {
        assert!(find(name).is_some(), "{name}");
    }
    for name in ["proptest", "cni-tests"] {
        assert!(find(name).is_none(), "{name} is for tests only");
    }
    let nix = find("nix").unwrap();
    assert!(nix["purl"].as_str().unwrap().starts_with("pkg:cargo/nix@"), "{nix}");
    assert_eq!(nix["hashes"][0]["alg"], "SHA-256");
    assert_eq!(nix["licenses"][0]["expression"], "MIT");
    let references: Vec<_> = components.iter().map(|component| &component["bom-ref"]).collect();
    for dependency in bill["dependencies"].as_array().unwrap() {
        for on in dependency["dependsOn"].as_array().unwrap() {
            assert!(references.contains(&on), "{dependency} leads to nowhere");
        }
    }
}

#[test]
fn every_plugin_has_a_manual_page_that_says_what_it_does() {
    needs!(ReleaseTools);
    let _host = Host::new();
    script(&["packaging/man", env!("CARGO_PKG_VERSION"), "0", "/run/man"], &[]);
    let of_plugins = plugins().into_iter().map(|name| (format!("cni-{name}"), 8));
    for (name, section) in of_plugins.chain([("cnitool".to_owned(), 1), ("cni-errors".to_owned(), 7)]) {
        let page = fs::read_to_string(format!("/run/man/man{section}/{name}.{section}")).unwrap();
        let told = page.lines().skip_while(|line| *line != "NAME").find(|line| line.contains(" - "));
        let (called, does) = told.and_then(|line| line.split_once(" - ")).unwrap();
        assert_eq!(called.replace('\\', ""), name);
        // What apropos shows. "IPAM plugin" says it of none, and a column of tests says it to nobody who reads this.
        assert!((16..=130).contains(&does.len()) && does.contains(' '), "{name}: {does}");
        assert!(!page.lines().any(|line| line == "test"), "{name} has a column of tests");
    }
}

/// A toolchain for one target, which has no standard library for another, and a rustup that brings none.
fn toolchain(host: &str) {
    let std = format!("/run/toolchain/lib/rustlib/{host}/lib");
    fs::create_dir_all(&std).unwrap();
    fs::write(format!("{std}/libstd-1.rlib"), "").unwrap();
    let rustc = format!("[ \"$1\" != -vV ] || echo host: {host}\necho /run/toolchain");
    // Takes what is asked of it for done.
    let cargo = format!(
        "[ \"$1\" != metadata ] || {{ echo '{{\"target_directory\":\"/run/target\"}}'; exit; }}
         echo \"$@\" > /run/asked; while [ \"$1\" != --target ]; do shift; done
         mkdir -p /run/target/$2/dist; cd /run/target/$2/dist
         for name in cni-plugins cnitool {}; do cp /bin/true $name; done",
        plugins().join(" ")
    );
    for (name, does) in [("rustc", rustc.as_str()), ("rustup", "exit 1"), ("cargo", &cargo)] {
        let path = format!("/run/toolchain/{name}");
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn with_toolchain() -> String {
    format!("/run/toolchain:{}", std::env::var("PATH").unwrap())
}

#[test]
fn make_dist_builds_either_form_for_the_host_where_no_musl_can_be_had() {
    let _host = Host::new();
    toolchain("riscv64gc-unknown-linux-gnu");
    let names: Vec<_> = plugins().into_iter().chain(["cnitool".to_owned()]).collect();
    let inodes = |dir: &str| {
        let of = |name: &String| fs::metadata(format!("{dir}/{name}")).unwrap().ino();
        plugins().iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    for (arguments, asked, files) in [
        (&["BIN=/run/bin"][..], "--workspace --exclude cni-plugins --bins", plugins().len()),
        (&["BIN=/run/bin/one", "ONE=1"], "-p cni-plugins -p cnitool", 1),
    ] {
        let words = [&["make", "-s", "dist", "CARGO=/run/toolchain/cargo"], arguments].concat();
        let said = script(&words, &[("PATH", &with_toolchain())]);
        assert!(said.contains("native: built for riscv64gc-unknown-linux-gnu"), "{said}");
        let line = fs::read_to_string("/run/asked").unwrap();
        assert!(line.contains("build --locked --profile dist") && line.trim().ends_with(asked), "{line}");
        let dir = arguments[0].trim_start_matches("BIN=");
        let is_file = |name: &String| fs::metadata(format!("{dir}/{name}")).is_ok_and(|file| file.is_file());
        assert!(names.iter().all(is_file), "{:?}", names_in(dir));
        assert_eq!(inodes(dir), files, "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_built_is_named() {
    let _host = Host::new();
    let mut command = Command::new("packaging/build");
    let none = command.args(["riscv64", "separate=/run/out"]).current_dir(ANCHOR);
    toolchain("none");
    let done = run(none.env("PATH", with_toolchain()), b"");
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(3), "{said}{}", done.stderr);
    assert!(
        said.starts_with("riscv64: not built: no standard library for riscv64gc-unknown-linux-musl"),
        "{said}"
    );
}
