//! Directories of network configurations.

use std::fs;
use std::path::Path;

use crate::kit::TempDir;
use cni_types::Code;
use cnitool::conflist::dir::find_network;

fn put(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

fn plugin(dir: &Path, network: &str) -> String {
    let list = find_network(dir, network).unwrap();
    list.plugins.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>().join(",")
}

#[test]
fn the_first_file_with_the_name_wins_and_lists_come_before_single_plugins() {
    let dir = TempDir::new();
    put(&dir.0, "20-b.conflist", r#"{"name":"n","plugins":[{"type":"second"}]}"#);
    put(&dir.0, "10-a.conflist", r#"{"name":"n","plugins":[{"type":"first"}]}"#);
    put(&dir.0, "00-c.conf", r#"{"name":"n","type":"single"}"#);
    put(&dir.0, "05-d.json", r#"{"name":"other","type":"json"}"#);
    put(&dir.0, "06-e.conf", r#"{"name":"other","type":"later"}"#);
    put(&dir.0, "00-f.txt", "not looked at");
    fs::create_dir(dir.0.join("00-g.conflist")).unwrap();
    assert_eq!(plugin(&dir.0, "n"), "first");
    assert_eq!(plugin(&dir.0, "other"), "json");
}

#[test]
fn plugins_of_the_networks_own_directory_are_appended_unless_ruled_out() {
    let dir = TempDir::new();
    put(&dir.0, "n/20.conf", r#"{"type":"second"}"#);
    put(&dir.0, "n/10.conf", r#"{"type":"first"}"#);
    put(&dir.0, "n/30.json", r#"{"type":"ignored"}"#);
    put(&dir.0, "n.conflist", r#"{"name":"n","plugins":[{"type":"inlined"}]}"#);
    assert_eq!(plugin(&dir.0, "n"), "inlined,first,second");
    put(&dir.0, "n.conflist", r#"{"name":"n"}"#);
    assert_eq!(plugin(&dir.0, "n"), "first,second");
    let only = r#"{"name":"n","loadOnlyInlinedPlugins":"True","plugins":[{"type":"inlined"}]}"#;
    put(&dir.0, "n.conflist", only);
    assert_eq!(plugin(&dir.0, "n"), "inlined");
    put(&dir.0, "n.conflist", r#"{"name":"m"}"#);
    let error = find_network(&dir.0, "m").unwrap_err().to_string();
    assert!(error.contains("n.conflist: no plugin configs found"), "{error}");
}

#[test]
fn what_cannot_be_found_or_read_is_named() {
    let dir = TempDir::new();
    let error = |name: &str| find_network(&dir.0, name).unwrap_err();
    assert!(error("n").msg.contains("no net configurations found in /"), "{}", error("n"));
    put(&dir.0, "a.conflist", r#"{"name":"a","plugins":[{"type":"t"}]}"#);
    assert!(error("n").msg.contains("no net configuration with name \"n\" in /"), "{}", error("n"));
    put(&dir.0, "0.conflist", r#"{"name":"a""#);
    assert!(error("a").msg.contains("0.conflist: "), "{}", error("a"));
    fs::remove_file(dir.0.join("0.conflist")).unwrap();
    put(&dir.0, "0.conf", r#"{"name":"n"}"#);
    assert!(error("n").msg.contains("0.conf: ") && error("n").msg.contains("\"type\""), "{}", error("n"));
    assert_eq!(find_network(&dir.0.join("0.conf"), "n").unwrap_err().code, Code::IO);
    let missing = find_network(&dir.0.join("missing"), "n").unwrap_err();
    assert!(missing.msg.contains("no net configurations found"), "{missing}");
}

#[test]
fn what_another_networks_file_holds_is_its_own_affair() {
    let dir = TempDir::new();
    for (at, text) in [
        "",
        "{",
        "[]",
        r#"{"plugins":[{"type":"t"}]}"#,
        r#"{"name":1}"#,
        r#"{"name":"a b","plugins":[{"type":"t"}]}"#,
        r#"{"name":"o","plugins":[{"type":"../x"}]}"#,
        r#"{"name":"o","plugins":[{"type":"t","capabilities":{"mac":"true"}}]}"#,
        r#"{"name":"o","plugins":{}}"#,
        r#"{"name":"o"}"#,
        r#"{"name":"o","cniVersion":7,"disableGC":"maybe","plugins":[{"type":"t"}]}"#,
    ]
    .iter()
    .enumerate()
    {
        for extension in ["conflist", "conf", "json"] {
            put(&dir.0, &format!("0-{at}.{extension}"), text);
        }
    }
    put(&dir.0, "o/10.conf", "{");
    put(&dir.0, "20.conflist", r#"{"name":"list","plugins":[{"type":"list"}]}"#);
    put(&dir.0, "20.conf", r#"{"name":"single","type":"single"}"#);
    assert_eq!(plugin(&dir.0, "list"), "list");
    assert_eq!(plugin(&dir.0, "single"), "single");
    // The one asked for is validated, and its file named.
    for (name, gist) in [("a b", "invalid characters"), ("o", "0-10.conflist: key \"cniVersion\"")] {
        let error = find_network(&dir.0, name).unwrap_err().to_string();
        assert!(error.contains(".conflist: ") && error.contains(gist), "{name}: {error}");
    }
}

#[test]
fn an_unknown_network_is_answered_with_those_that_are_there() {
    let dir = TempDir::new();
    let error = |name: &str| find_network(&dir.0, name).unwrap_err();
    put(&dir.0, "web.yaml", "name: web");
    assert!(error("web").msg.starts_with("no net configurations found in /"), "{}", error("web"));
    assert!(error("web").details.contains("web.yaml is not read: write it as JSON"), "{}", error("web"));
    put(&dir.0, "10.conflist", r#"{"name":"frontend","plugins":[{"type":"t"}]}"#);
    put(&dir.0, "20.conf", r#"{"name":"backend","type":"t"}"#);
    let there = "it has backend, frontend";
    assert!(error("web").details.contains(there) && !error("web").details.contains("did you mean"));
    assert!(error("web").details.contains("web.yaml is not read"), "{}", error("web"));
    let slip = error("forntend").details;
    assert!(slip.contains("did you mean \"frontend\"?") && slip.contains(there), "{slip}");
}

#[test]
fn a_file_whose_extension_does_not_fit_its_content_is_to_be_renamed() {
    let dir = TempDir::new();
    put(&dir.0, "10-a.conf", r#"{"name":"a","plugins":[{"type":"t"}]}"#);
    put(&dir.0, "20-b.conflist", r#"{"name":"b","type":"t"}"#);
    for (name, file, holds, rename) in [
        ("a", "10-a.conf", "it holds a list of plugins", "rename it to 10-a.conflist"),
        ("b", "20-b.conflist", "it holds one plugin, not a list", "rename it to 20-b.conf"),
    ] {
        let error = find_network(&dir.0, name).unwrap_err();
        assert_eq!(error.code, Code::CONFIG);
        assert!(error.msg.ends_with(&format!("{file}: {holds}")) && error.details == rename, "{error}");
    }
}

#[test]
fn the_file_with_an_unknown_version_is_named() {
    let dir = TempDir::new();
    put(&dir.0, "10-a.conflist", r#"{"name":"a","cniVersion":"7.0.0","plugins":[{"type":"t"}]}"#);
    put(&dir.0, "20-b.conf", r#"{"name":"b","cniVersion":"7.0.0","type":"t"}"#);
    for (name, file) in [("a", "10-a.conflist: network a"), ("b", "20-b.conf: network b")] {
        let error = find_network(&dir.0, name).unwrap().spec_version().unwrap_err();
        assert!(error.msg.contains(&format!("{file}: unknown cniVersion \"7.0.0\"")), "{error}");
    }
}
