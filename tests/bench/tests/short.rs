//! The short form works: no figure is judged.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the workspace's executables are.
fn target() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_cni-bench")).parent().unwrap().to_owned()
}

#[test]
fn the_short_form_measures_every_part() {
    let out = tempdir();
    let floor = out.join("floor");
    std::fs::create_dir_all(&floor).unwrap();
    for name in ["bridge", "host-local"] {
        std::fs::copy(env!("CARGO_BIN_EXE_cni-floor"), floor.join(name)).unwrap();
    }
    std::fs::copy(env!("CARGO_BIN_EXE_cni-empty"), floor.join("empty")).unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_cni-bench"));
    bench.args(["--short", "--out"]).arg(&out).arg(format!("ours={}", target().display()));
    let done = bench.arg(format!("floor={}", floor.display())).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let json = std::fs::read_to_string(out.join("bench.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let count = |case: &str, suite: &str| {
        let of = |row: &&serde_json::Value| {
            row["case"].as_str().unwrap().starts_with(case) && row["suite"] == suite
        };
        rows.iter().filter(of).map(|row| row["values"].as_array().unwrap().len()).sum::<usize>()
    };
    for (case, suite) in [
        ("portmap", "ours"),
        ("portmap", "floor"),
        ("bridge-gw", "ours"),
        ("bridge-gw", "floor"),
        ("bridge-masq-nftables", "floor"),
        ("chain-nftables, cold", "ours"),
        ("ptp", "ours"),
        ("bridge-gw, 3 at a time", "ours"),
        ("bridge-gw, pod 3", "ours"),
        ("bridge-gw, pod 3", "floor"),
        ("bridge nftables, empty", "ours"),
        ("ptp, iptables-nft rules", "ours"),
        ("ptp, nft elements", "ours"),
        ("ptp, links", "ours"),
        ("ptp, reservations", "ours"),
        ("host port nftables, 3 mappings", "ours"),
        ("masquerade nftables, 3 pods", "ours"),
        ("firewall iptables, 3 pods", "ours"),
    ] {
        assert!(count(case, suite) >= 2, "{case} {suite}: {json}");
    }
    let picture = std::fs::read_to_string(out.join("bench.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("circle") && picture.ends_with("</svg>\n"));
    std::fs::remove_dir_all(&out).unwrap();
}

fn tempdir() -> PathBuf {
    let path = std::env::temp_dir().join(format!("cni-bench-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}
