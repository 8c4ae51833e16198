//! The forms of configurations that people run: no false alarm.

use std::fs;
use std::path::{Path, PathBuf};

use super::{cnitool, validate};

fn files(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "conflist")).collect()
}

#[test]
fn what_people_run_is_clean() {
    let files = files("tests/api/validate/forms");
    assert!(files.len() >= 50, "{}", files.len());
    let (status, findings) = validate(&["--json", "--strict"], &files);
    let alarms: Vec<_> = findings.iter().filter(|finding| finding.severity != "note").collect();
    assert!(status == 0 && alarms.is_empty(), "{alarms:#?}");
    // Plugins of others are named as such.
    let notes = findings.iter().filter(|finding| finding.code == "not-checked").count();
    assert!(notes > 20, "{notes}");
}

#[test]
fn every_example_is_clean() {
    let files = files("../conf-examples");
    let (status, findings) = validate(&["--json", "--strict"], &files);
    assert!(status == 0 && findings.is_empty(), "{findings:#?}");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conf-examples");
    assert_eq!(validate(&["--json", "--strict"], &[dir]).0, 0);
}

/// Prints how long a directory of 100 networks takes: it is to be 30 ms at most, on a quiet machine, of a release
/// build.
#[test]
fn a_hundred_networks() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hundred");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let form = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/validate/bases/bridge.conflist"),
    )
    .unwrap();
    for number in 0..100 {
        let network = form
            .replace("k8s-pod-network", &format!("net{number}"))
            .replace("10.244.1.", &format!("10.244.{number}."));
        let network = network.replace("fd00:10:244:1:", &format!("fd00:10:244:{number:x}:"));
        fs::write(dir.join(format!("{number:02}.conflist")), network).unwrap();
    }
    let start = std::time::Instant::now();
    let output = cnitool(&["validate"], &[dir]);
    println!("100 networks: {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("100 networks in 100 files: nothing is wrong\n"), "{text}");
}
