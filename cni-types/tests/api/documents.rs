//! Every test that the conformance table, this crate's README and cni-skel's name is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The texts between single backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_name(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn sources(dir: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, into);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            into.push((entry.clone(), fs::read_to_string(entry).unwrap()));
        }
    }
}

#[test]
fn the_tests_they_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for dir in ["cni-types", "plugins/lib/skel", "tests/tests", "ipam/host-local/tests"] {
        sources(&root.join(dir), &mut files);
    }
    let has = |file: Option<&str>, test: &str| {
        files.iter().any(|(path, text)| {
            let module = if path.ends_with("main.rs") { path.parent().unwrap() } else { path };
            file.is_none_or(|file| module.file_stem().is_some_and(|stem| stem == file))
                && (text.contains(&format!("fn {test}(")) || text.contains(&format!("(\"{test}\",")))
        })
    };
    let mut seen = 0;
    for document in ["docs/spec-conformance.md", "cni-types/README.md", "plugins/lib/skel/README.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for quote in quoted(&text) {
            let (file, test) =
                quote.split_once("::").map_or((None, quote), |(file, test)| (Some(file), test));
            // Shorter names are variables and keys.
            if is_name(test) && test.len() > 25
                || file.is_some_and(|file| is_name(&format!("{file}_")) && is_name(test))
            {
                assert!(has(file, test), "{document} names the test {quote}, which is not there");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "only {seen} names were found: has the form of the tables changed?");
}
