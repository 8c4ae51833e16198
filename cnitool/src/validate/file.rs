//! One file, as a runtime reads it: a list of plugins, or one plugin.

use std::ffi::OsStr;
use std::path::Path;

use cni_types::{excerpt, same_key};

use super::document::{Node, Value};
use super::finding::{Severity, Sheet, Spot};
use super::network::{Network, Plugin};
use super::rules::{self, Range};
use super::source::{self, Refused, Source};
use crate::conflist::{NetworkList, PluginConf, dir};

/// A network that was checked.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) network: Network,
    /// The ranges its addresses come from.
    pub(crate) ranges: Vec<Range>,
}

/// Checks what comes in on stdin.
pub(crate) fn stdin(sheet: &mut Sheet) -> Option<Checked> {
    let bytes = source::read_all(std::io::stdin().lock());
    text(sheet, "<stdin>".to_owned(), None, bytes)
}

/// Checks the file.
pub(crate) fn check(sheet: &mut Sheet, path: &Path) -> Option<Checked> {
    text(sheet, path.display().to_string(), Some(path), source::read(path))
}

fn text(
    sheet: &mut Sheet,
    name: String,
    path: Option<&Path>,
    bytes: Result<Vec<u8>, Refused>,
) -> Option<Checked> {
    let (file, document) = document(sheet, name, path, bytes)?;
    let spot = Spot { file, path: String::new(), place: document.place.start..document.place.start + 1 };
    if !document.is_object() {
        let text =
            format!("it is {}, but must be an object: a list of plugins with its name", document.kind());
        sheet.error("wrong-type", &spot, text);
        return None;
    }
    let is_list = document.exact("plugins").is_some() || document.get("type").is_none();
    if let Some(path) = path {
        extension(sheet, path, is_list, &document, &spot);
    }
    let mut network = Network::new(file, document, is_list);
    if let Some(path) = path.filter(|_| is_list) {
        beside(sheet, path, &mut network);
    }
    let ranges = rules::check(sheet, &network);
    refused(sheet, &network, is_list, path);
    Some(Checked { network, ranges })
}

/// The document, and the number of its file on the sheet.
fn document(
    sheet: &mut Sheet,
    name: String,
    path: Option<&Path>,
    bytes: Result<Vec<u8>, Refused>,
) -> Option<(usize, Node)> {
    let (file, path) = (sheet.files.len(), path.map(Path::to_owned));
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err((code, text)) => {
            sheet.files.push(Source::new(name, path, String::new()));
            sheet.of_file(Severity::Error, code, file, text);
            return None;
        }
    };
    let (text, document) = source::parse(&bytes);
    sheet.files.push(Source::new(name, path, text));
    match document {
        Ok(document) => {
            duplicates(sheet, &Spot { file, path: String::new(), place: document.place.clone() }, &document);
            Some((file, document))
        }
        Err(flaw) => {
            sheet.error(flaw.code, &Spot { file, path: String::new(), place: flaw.place }, flaw.text);
            None
        }
    }
}

/// Of two members with one key the last counts.
fn duplicates(sheet: &mut Sheet, spot: &Spot, node: &Node) {
    match &node.value {
        Value::Leaf(_) => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                duplicates(sheet, &spot.item(index, item), item);
            }
        }
        Value::Object(members) => {
            let mut seen = std::collections::HashMap::new();
            for member in members {
                let here = spot.member(&member.key.text, &member.key.place);
                duplicates(sheet, &here, &member.node);
                let Some(first) = seen.insert(member.key.text.to_lowercase(), &member.key) else { continue };
                // At the top the two are different keys to libcni, and told as such.
                if !same_key(&first.text, &member.key.text)
                    || spot.path.is_empty() && first.text != member.key.text
                {
                    continue;
                }
                let (line, _) = sheet.files[spot.file].position(first.place.start);
                let text =
                    format!("{} is there already, in line {line}: the last one counts", excerpt(&first.text));
                sheet.warn("duplicate-key", &here, text);
            }
        }
    }
}

/// A runtime goes by the file's name.
fn extension(sheet: &mut Sheet, path: &Path, is_list: bool, document: &Node, spot: &Spot) {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let wrong = match extension {
        "conflist" if !is_list => Some(("one plugin", "conf")),
        "conf" | "json" if is_list && document.exact("plugins").is_some() => {
            Some(("a list of plugins", "conflist"))
        }
        _ => None,
    };
    if let Some((holds, extension)) = wrong {
        let name = path.with_extension(extension);
        let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = format!("it holds {holds}, and runtimes go by the file's name: rename it to {name}");
        sheet.error("wrong-extension", spot, text).meant = Some(name);
    }
}

/// The plugins of `<directory>/<network>/*.conf` belong to the list, unless it says otherwise.
fn beside(sheet: &mut Sheet, path: &Path, network: &mut Network) {
    let only_inlined = network.document.exact("loadOnlyInlinedPlugins").is_some_and(|only| {
        matches!(only.value, Value::Leaf(cni_types::Json::Bool(true)))
            || only.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    });
    let Some(name) = network.name().filter(|name| !only_inlined && !name.contains('/') && *name != "..")
    else {
        return;
    };
    let dir = path.parent().unwrap_or_else(|| Path::new(".")).join(name);
    let Ok(files) = dir::files(&dir) else { return };
    for path in files.iter().filter(|file| dir::has_extension(file, &["conf"])) {
        let bytes = source::read(path);
        if let Some((file, document)) = document(sheet, path.display().to_string(), Some(path), bytes) {
            network.plugins.push(Plugin::alone(file, document));
        }
    }
}

/// What our own reader refuses, whatever else was found.
fn refused(sheet: &mut Sheet, network: &Network, is_list: bool, path: Option<&Path>) {
    if network
        .plugins
        .iter()
        .map(|plugin| plugin.file)
        .chain([network.file])
        .any(|file| sheet.has_error(file))
    {
        return;
    }
    let bytes = sheet.files[network.file].text.as_bytes();
    let read = match path.filter(|path| is_list && dir::has_extension(path, &["conflist"])) {
        Some(path) => dir::load(path).map(drop),
        None if is_list => NetworkList::parse(bytes).map(drop),
        None => PluginConf::parse(bytes).map(drop),
    };
    if let Err(error) = read {
        let spot = network.spot();
        sheet.error("refused", &spot.at(&(spot.place.start..spot.place.start + 1)), error.to_string());
    }
}
