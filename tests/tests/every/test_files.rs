//! Every test file is part of an executable that is built: files that nobody names, and targets without tests that
//! have some, would be passed over in silence.

use std::fs;
use std::path::{Path, PathBuf};

use cni_tests::ANCHOR;

/// All source files below `dir`.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The directories of the packages of the suite.
fn packages() -> Vec<PathBuf> {
    let root = Path::new(ANCHOR);
    let groups = ["", "plugins", "plugins/lib", "ipam"].into_iter();
    let dirs = groups.flat_map(|group| fs::read_dir(root.join(group)).unwrap());
    let packages = dirs.map(|entry| entry.unwrap().path()).filter(|dir| dir.join("src").is_dir());
    packages.collect()
}

/// The file that has to name the module of `file`: what is beside it in its directory, or is called like that.
fn parents(file: &Path) -> Vec<PathBuf> {
    let dir = file.parent().unwrap();
    let is_its_directory = file.ends_with("mod.rs");
    let within = if is_its_directory { dir.parent().unwrap() } else { dir };
    vec![within.join("main.rs"), within.join("mod.rs"), within.with_extension("rs")]
}

#[test]
fn every_test_file_is_named_by_the_one_above_it() {
    let files: Vec<_> = packages().iter().flat_map(|package| sources(&package.join("tests"))).collect();
    for file in &files {
        // cargo makes an executable of a main.rs, and of what is beside no other file.
        if file.ends_with("main.rs") || file.parent().unwrap().ends_with("tests") {
            continue;
        }
        let module = if file.ends_with("mod.rs") { file.parent().unwrap() } else { file };
        let line = format!("mod {};", module.file_stem().unwrap().to_str().unwrap());
        let names_it = |parent: &PathBuf| fs::read_to_string(parent).is_ok_and(|text| text.contains(&line));
        assert!(parents(file).iter().any(names_it), "no file says `{line}`: {}", file.display());
    }
    assert!(files.len() > 100, "only {} test files were found", files.len());
}

#[test]
fn what_is_built_without_tests_has_none() {
    let mut without = 0;
    for package in packages() {
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        // Further in it is a macro's, as in this kit.
        let has_tests = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("\n    #[test]\n");
        for section in manifest.split("\n[").filter(|section| section.contains("\ntest = false")) {
            let mut files = sources(&package.join("src"));
            if section.starts_with("[bin]") {
                files.retain(|file| file.ends_with("main.rs"));
            }
            let with = files.iter().find(|file| has_tests(file));
            assert!(with.is_none(), "{with:?} has tests, and its Cargo.toml says `test = false`");
            without += 1;
        }
    }
    assert!(without > 20, "only {without} such targets were found");
}
