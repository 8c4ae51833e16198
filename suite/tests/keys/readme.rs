//! The tables of keys in the READMEs. `make keys` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use cni_plugins::{KEYS, plugins};

use crate::table::table;

fn readme(plugin: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let paths = ["plugins", "ipam"].map(|place| project.join(place).join(plugin).join("README.md"));
    paths.into_iter().find(|path| path.exists()).unwrap()
}

/// The text with `table` in place of the first table of the section `## Keys`.
fn with_table(text: &str, table: &str) -> Option<String> {
    let section = text.find("\n## Keys\n")?;
    let start = section + text[section..].find("\n|")? + 1;
    let rows: usize =
        text[start..].lines().take_while(|line| line.starts_with('|')).map(|l| l.len() + 1).sum();
    Some(format!("{}{table}{}", &text[..start], &text[start + rows..]))
}

#[test]
fn the_readmes_tables_are_what_the_keys_say() {
    let writes = std::env::var_os("CNI_WRITE_KEYS").is_some();
    let mut differing = Vec::new();
    for plugin in &KEYS {
        let path = readme(plugin.plugin);
        let text = fs::read_to_string(&path).unwrap();
        let wanted =
            with_table(&text, &table(plugin)).unwrap_or_else(|| panic!("{}: no table", path.display()));
        if writes {
            fs::write(&path, wanted).unwrap();
        } else if wanted != text {
            differing.push(plugin.plugin);
        }
    }
    assert_eq!(differing, [""; 0], "their READMEs' tables are of other keys than they have: run `make keys`");
}

#[test]
fn every_plugin_with_keys_is_in_the_list() {
    let mut listed: Vec<_> = KEYS.iter().map(|keys| keys.plugin).collect();
    // It has none.
    listed.insert(listed.partition_point(|name| *name < "loopback"), "loopback");
    let mut names: Vec<_> = plugins().map(|plugin| plugin.about().name).collect();
    names.sort_unstable();
    assert_eq!(listed, names);
}
