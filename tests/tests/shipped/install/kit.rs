//! Directories of executables, real and pretended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cni_tests::{Suite, run};

/// Where it is installed.
pub(crate) const DIR: &str = "/run/bin";
/// From where.
pub(crate) const FROM: &str = "/run/from";

/// Both directories, empty.
pub(crate) fn dirs() {
    for dir in [DIR, FROM] {
        // A mount point stays, empty.
        fs::create_dir_all(dir).unwrap();
        for entry in fs::read_dir(dir).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

/// `ptp` and `tap` of an older version in [`DIR`], of this one in [`FROM`].
pub(crate) fn lay_versions() {
    dirs();
    for name in ["ptp", "tap"] {
        fake(DIR, name, &format!("CNI {name} plugin v1.9.1"), "");
        let line = format!("CNI {name} plugin v{}", env!("CARGO_PKG_VERSION"));
        fake(FROM, name, &line, "CNI plugins in Rust");
    }
}

/// An executable that says this of itself.
pub(crate) fn fake(dir: &str, name: &str, first: &str, last: &str) {
    let versions = "CNI protocol versions supported: 0.1.0, 1.0.0";
    let script =
        format!("#!/bin/sh\n[ -n \"$CNI_COMMAND\" ] || printf '%s\\n' '{first}' '{versions}' '{last}' >&2\n");
    write_executable(&format!("{dir}/{name}"), script.as_bytes());
}

/// One file with these names, each of which it says it is.
pub(crate) fn many_named(dir: &str, names: &[&str], version: &str) {
    let first = format!("{dir}/{}", names[0]);
    let script = format!(
        "#!/bin/sh\n[ -n \"$CNI_COMMAND\" ] || printf '%s\\n' \"CNI ${{0##*/}} plugin v{version}\" 'CNI plugins in Rust' >&2\n"
    );
    write_executable(&first, script.as_bytes());
    for name in &names[1..] {
        fs::hard_link(&first, format!("{dir}/{name}")).unwrap();
    }
}

/// Written by another process: a descriptor of ours open for writing could be inherited by a child that another test
/// forks at this moment, and the exec would fail with ETXTBSY.
pub(crate) fn write_executable(path: &str, bytes: &[u8]) {
    let script = format!("rm -f {path} && cat > {path} && chmod 755 {path}");
    let done = run(Command::new("sh").args(["-c", &script]), bytes);
    assert!(done.status.success(), "{}", done.stderr);
}

/// `cnitool install`: whether it succeeded, its stdout, its stderr.
pub(crate) fn install(arguments: &[&str]) -> (bool, String, String) {
    install_under(&[], arguments)
}

/// The same under another command.
pub(crate) fn install_under(wrapper: &[&str], arguments: &[&str]) -> (bool, String, String) {
    let tool = Suite::Ours.source().join("cnitool");
    let words = wrapper.iter().copied().chain([tool.to_str().unwrap(), "install"]);
    let words: Vec<_> = words.chain(arguments.iter().copied()).collect();
    let done = run(Command::new(words[0]).args(&words[1..]), b"");
    (done.status.success(), String::from_utf8(done.stdout).unwrap(), done.stderr)
}

/// An installation that succeeds; its table.
pub(crate) fn install_ok(arguments: &[&str]) -> String {
    let (done, text, stderr) = install(arguments);
    assert!(done, "{arguments:?}: {text}{stderr}");
    text
}

/// `cnitool version DIR`.
pub(crate) fn version(dir: &str) -> String {
    let done = run(Command::new(Suite::Ours.source().join("cnitool")).args(["version", dir]), b"");
    assert!(done.status.success(), "{}", done.stderr);
    String::from_utf8(done.stdout).unwrap()
}

/// Whether the plugin, run without anything, succeeds, and what it says.
pub(crate) fn without_command(plugin: &Path) -> (bool, String) {
    let done = run(Command::new(plugin).env_clear(), b"");
    (done.status.success(), done.stderr)
}

/// Whether the plugin can be run as runtimes ask for its versions.
pub(crate) fn answers_version(plugin: &str) -> bool {
    let mut command = Command::new(plugin);
    run(command.env_clear().env("CNI_COMMAND", "VERSION"), b"").status.success()
}

/// The permission bits of an installed plugin.
pub(crate) fn mode_of(name: &str) -> u32 {
    fs::metadata(format!("{DIR}/{name}")).unwrap().permissions().mode() & 0o7777
}

/// All names in a directory, hidden ones too, in order.
pub(crate) fn names_in(dir: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
