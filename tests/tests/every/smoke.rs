//! Each executable starts and speaks the protocol.

use std::path::PathBuf;

use cni_tests::{Suite, VERSIONS, plugins, smoke};

/// The plugins that do not speak all versions: those that need a prevResult start with the first version that has one.
const FEWER_VERSIONS: [(&str, &[&str]); 3] = [
    ("bandwidth", &["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]),
    ("firewall", &["0.4.0", "1.0.0", "1.1.0"]),
    ("vrf", &["0.3.1", "0.4.0", "1.0.0", "1.1.0"]),
];

fn executables() -> impl Iterator<Item = (String, PathBuf)> {
    plugins().into_iter().map(|name| (name.clone(), Suite::Ours.source().join(name)))
}

#[test]
fn version_lists_every_version() {
    for (name, executable) in executables() {
        let fewer = FEWER_VERSIONS.into_iter().find(|(plugin, _)| *plugin == name);
        smoke::version(executable.to_str().unwrap(), fewer.map_or(&VERSIONS, |(_, versions)| versions));
    }
}

#[test]
fn without_a_command_the_about_line_goes_to_stderr() {
    for (name, executable) in executables() {
        smoke::about(executable.to_str().unwrap(), &name);
    }
}

#[test]
fn bad_json_is_code_6() {
    for (_, executable) in executables() {
        smoke::bad_json(executable.to_str().unwrap());
    }
}
