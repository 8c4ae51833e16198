//! The example networks: each one loads, says what its file name says, and stands in the index.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use cni_types::SpecVersion;
use cnitool::conflist::dir::{find_network, load};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conf-examples")
}

/// The plugins that are packages below `plugins/` or `ipam/`.
fn is_plugin(group: &str, name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(group).join(name).join("Cargo.toml").exists()
}

fn files() -> Vec<PathBuf> {
    let files = fs::read_dir(dir()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "conflist")).collect();
    assert!(files.len() > 10, "the examples are not where they should be: {files:?}");
    files
}

#[test]
fn every_file_is_a_network_of_its_own() {
    let mut places = HashSet::new();
    for file in files() {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let list = load(&file).unwrap();
        assert_eq!(list.name.as_str(), stem, "the network is named like its file");
        assert_eq!(list.spec_version().unwrap(), SpecVersion::CURRENT, "{stem}");
        assert_eq!(find_network(&dir(), stem).unwrap(), list);
        for plugin in &list.plugins {
            assert!(is_plugin("plugins", plugin.name.as_str()), "{stem}: type {}", plugin.name);
            let ipam = plugin.object.get("ipam").and_then(|ipam| ipam.get_str("type"));
            assert!(ipam.is_none_or(|ipam| is_plugin("ipam", ipam)), "{stem}: ipam {ipam:?}");
            if let Some(bridge) = plugin.object.get_str("bridge") {
                assert!(places.insert(bridge.to_owned()), "{stem}: {bridge} is in another example too");
            }
        }
        let mut text = String::from_utf8(list.bytes.clone()).unwrap();
        text.retain(|c| !c.is_whitespace());
        for subnet in text.split("\"subnet\":\"").skip(1) {
            let subnet = subnet.split('"').next().unwrap().to_owned();
            assert!(places.insert(subnet.clone()), "{stem}: {subnet} is in another example too");
        }
    }
}

#[test]
fn the_index_and_the_files_name_each_other() {
    let index = fs::read_to_string(dir().join("README.md")).unwrap();
    let rows: HashSet<&str> =
        index.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let names: Vec<_> = files().iter().map(|f| f.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let names: HashSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(rows, names);
}
