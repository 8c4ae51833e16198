//! A directory of network configurations, `/etc/cni/net.d`: `*.conflist` first, in the order of their names, then the
//! older `*.conf` and `*.json`. The first with the name asked for wins, and only that one is validated.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cni_types::{Doing, Error, Json, Result, excerpt, nearest};

use super::{NetworkList, PluginConf, exact};

/// The extension of a file with a list of plugins.
const LIST: &str = "conflist";
/// Those of a file with one plugin.
const SINGLE: [&str; 2] = ["conf", "json"];

/// The network named `name`. Files of other networks may hold what they like.
///
/// # Errors
/// Code 7 when there is none: the message has the names that are there. Code 5, 6 or 7 when its file, or one before it
/// that might be its file, cannot be read.
pub fn find_network(dir: &Path, name: &str) -> Result<NetworkList> {
    let files = files(dir)?;
    let of_kind = |kinds: &'static [&str]| files.iter().filter(|file| has_extension(file, kinds));
    let mut others = BTreeSet::new();
    for file in of_kind(&[LIST]).chain(of_kind(&SINGLE)) {
        let bytes = read(file)?;
        let json = match Json::parse(&bytes) {
            Ok(json) => json,
            // Which network it is cannot be known, but that it is another one can.
            Err(_) if !mentions(&bytes, name) => continue,
            Err(e) => return Err(e).doing(file.display()),
        };
        match name_of(&json, file) {
            Some(found) if found == name => return network(file, &json, &bytes).doing(file.display()),
            Some(other) => drop(others.insert(other.to_owned())),
            None => {}
        }
    }
    Err(not_found(dir, name, &others, &files))
}

/// The names of all networks in `dir`, sorted. What is no JSON has none.
///
/// # Errors
/// Code 5 when the directory cannot be listed.
pub fn names(dir: &Path) -> Result<BTreeSet<String>> {
    let files = files(dir)?;
    let of_networks =
        files.iter().filter(|file| has_extension(file, &[LIST]) || has_extension(file, &SINGLE));
    let names = of_networks
        .filter_map(|file| name_of(&Json::parse(&read(file).ok()?).ok()?, file).map(ToOwned::to_owned));
    Ok(names.collect())
}

/// The network of one `.conflist` file, with the plugins of `<its directory>/<network name>/*.conf` appended unless
/// `loadOnlyInlinedPlugins` is true.
///
/// # Errors
/// Code 5 when a file cannot be read, 6 or 7 when it does not say what it should; the message names it.
pub fn load(file: &Path) -> Result<NetworkList> {
    let bytes = read(file)?;
    let json = Json::parse(&bytes).doing(file.display())?;
    list(file, &json, &bytes).doing(file.display())
}

fn network(file: &Path, json: &Json, bytes: &[u8]) -> Result<NetworkList> {
    if has_extension(file, &[LIST]) {
        return list(file, json, bytes);
    }
    if json.has("plugins") && !json.has("type") {
        return Err(misnamed(file, "a list of plugins", LIST));
    }
    Ok(NetworkList { file: Some(file.to_owned()), ..NetworkList::from_single(bytes)? })
}

fn list(file: &Path, json: &Json, bytes: &[u8]) -> Result<NetworkList> {
    let mut list = NetworkList { file: Some(file.to_owned()), ..NetworkList::parse(bytes)? };
    if !list.only_inlined {
        let dir = file.parent().unwrap_or_else(|| Path::new(".")).join(list.name.as_str());
        for file in files(&dir)?.iter().filter(|file| has_extension(file, &["conf"])) {
            list.plugins.push(PluginConf::parse(&read(file)?).doing(file.display())?);
        }
    }
    if list.plugins.is_empty() {
        return Err(match json.has("type") {
            true => misnamed(file, "one plugin, not a list", "conf"),
            false => Error::config("no plugin configs found"),
        });
    }
    Ok(list)
}

fn misnamed(file: &Path, holds: &str, extension: &str) -> Error {
    let name = file.with_extension(extension);
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    Error::config(format!("it holds {holds}")).because(format!("rename it to {name}"))
}

/// libcni reads a list's name as it is spelt, and a plugin's in any case.
fn name_of<'a>(json: &'a Json, file: &Path) -> Option<&'a str> {
    let name = if has_extension(file, &[LIST]) { exact(json, "name") } else { json.get("name") };
    match name {
        Some(Json::String(name)) => Some(name),
        _ => None,
    }
}

/// Whether the text holds the name in quotes.
fn mentions(text: &[u8], name: &str) -> bool {
    String::from_utf8_lossy(text).contains(&format!("\"{name}\""))
}

fn not_found(dir: &Path, name: &str, others: &BTreeSet<String>, files: &[PathBuf]) -> Error {
    let read = |file: &&PathBuf| has_extension(file, &[LIST]) || has_extension(file, &SINGLE);
    let error = if files.iter().any(|file| read(&file)) {
        Error::config(format!("no net configuration with name {} in {}", excerpt(name), dir.display()))
    } else {
        Error::config(format!("no net configurations found in {}", dir.display()))
    };
    let mut hints = Vec::new();
    if !others.is_empty() {
        hints.push(format!("it has {}", others.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    let yaml = files.iter().filter(|file| has_extension(file, &["yaml", "yml"]));
    hints.extend(
        yaml.map(|file| format!("{} is not read: write it as JSON into a .conflist", file.display())),
    );
    let meant = nearest(name, others.iter().map(String::as_str));
    hints.extend(meant.map(|meant| format!("did you mean {meant:?}?")));
    if hints.is_empty() {
        hints.push("the variable NETCONFPATH names the directory to look in".to_owned());
    }
    hints.into_iter().rev().fold(error, Error::because)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).doing(format!("error reading {}", file.display()))
}

pub(crate) fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().and_then(OsStr::to_str).is_some_and(|extension| extensions.contains(&extension))
}

/// The files of `dir`, sorted; a directory that is not there has none.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("cannot list {}", dir.display());
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.doing(doing())?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.doing(doing())?;
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
