//! What a list says besides its plugins: its name, its version, what the runtime may leave out.

use cni_types::{Json, NetworkName, Numbers, SpecVersion, nearest, same_key};

use crate::known::{self, LIST};
use crate::validate::document::{Member, Node, Value};
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Network;
use crate::validate::places::Places;

/// The first version with CHECK, with results that plugins hand on, and with GC and STATUS.
const CHECK: &str = "0.4.0";
const CHAINS: &str = "0.3.0";
const GC: &str = "1.1.0";

pub(super) fn check(sheet: &mut Sheet, network: &Network) {
    let (document, spot) = (&*network.document, network.spot());
    if network.is_list {
        for member in document.members() {
            key(sheet, &spot, member);
        }
        plugins(sheet, network);
    }
    name(sheet, network);
    if let Some(version) = version(sheet, network) {
        let (at, text) = (spot.key(document, "cniVersion"), version.to_string());
        let before = |first: &str| Numbers::parse(first).is_some_and(|first| Numbers::from(version) < first);
        if before(CHAINS) && network.plugins.len() > 1 {
            sheet.warn(
                "old-version",
                &at,
                format!("with {text} plugins hand no addresses on: write {GC}, or {CHAINS} at least"),
            );
        }
        for (key, verb, first) in [("disableCheck", "CHECK", CHECK), ("disableGC", "GC", GC)] {
            if let Some(found) = document.exact(key).filter(|_| network.is_list && before(first)) {
                let spot = spot.member(key, &found.place);
                let text =
                    format!("a runtime asks for {verb} from cniVersion {first} on, and this is {text}");
                sheet.warn("old-version", &spot, text);
            }
        }
    }
}

/// libcni reads these keys in no other spelling.
fn key(sheet: &mut Sheet, spot: &Spot, member: &Member) {
    let (key, at_key) = (member.key.text.as_str(), spot.member(&member.key.text, &member.key.place));
    let names = || LIST.iter().map(|(name, _)| *name).chain(["plugins"]);
    if let Some(name) = names().find(|name| *name == key) {
        let is_flag = name.starts_with("disable") || name.starts_with("load");
        let is_text =
            |node: &Node| node.text().is_some_and(|t| ["true", "false"].contains(&&*t.to_lowercase()));
        let is_boolean = |node: &Node| matches!(node.value, Value::Leaf(Json::Bool(_)));
        if is_flag && !is_boolean(&member.node) && !is_text(&member.node) {
            let text = format!("it is {}, but must be true or false", member.node.kind());
            sheet.error("wrong-type", &at_key.at(&member.node.place), text);
        }
        return;
    }
    if known::is_remark(key) {
        return;
    }
    let text = "no such key of a list of plugins";
    if let Some(name) = names().find(|name| same_key(name, key)) {
        sheet.error("unknown-key", &at_key, format!("{text}, where case counts")).meaning(name);
    } else if let Some(meant) = nearest(key, names()) {
        sheet.error("unknown-key", &at_key, text).meaning(meant);
    } else if belongs_to_plugin(key) {
        let text = format!("{text}; it belongs into a plugin's object in plugins");
        sheet.error("wrong-place", &at_key, text).meant = Some("plugins[0]".to_owned());
    }
}

/// Runtimes put keys of their own beside `plugins`, and `args` is one of them.
fn belongs_to_plugin(key: &str) -> bool {
    let shared = ["ipam", "capabilities", "runtimeConfig", "dns", "prevResult", "type"].contains(&key);
    let declared = known::plugins().into_iter().filter_map(known::declared);
    let mut keys = declared.flat_map(|plugin| plugin.keys.iter().copied().flatten());
    shared || keys.any(|known| known.name == key && key != "args")
}

fn plugins(sheet: &mut Sheet, network: &Network) {
    let spot = network.spot();
    let head = spot.at(&(spot.place.start..spot.place.start + 1));
    match network.document.exact("plugins") {
        None if network.plugins.is_empty() => {
            sheet.error(
                "missing-key",
                &head,
                "the key plugins is missing: the list of plugins, in ADD's order",
            );
        }
        None => {}
        Some(Node { value: Value::List(items), place }) if items.is_empty() => {
            sheet.error("missing-key", &spot.member("plugins", place), "there is no plugin in the list");
        }
        Some(Node { value: Value::List(items), place }) => {
            let spot = spot.member("plugins", place);
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_object()) {
                let text = format!("it is {}, but must be an object, a plugin's configuration", item.kind());
                sheet.error("wrong-type", &spot.item(index, item), text);
            }
        }
        Some(other) => {
            let hint = if other.is_object() { ": write [ … ] around it" } else { "" };
            let text = format!("it is {}, but must be a list{hint}", other.kind());
            sheet.error("wrong-type", &spot.member("plugins", &other.place), text);
        }
    }
}

fn name(sheet: &mut Sheet, network: &Network) {
    let (document, spot) = (&*network.document, network.spot());
    let head = Places::head(&spot, document);
    let head = if network.is_list { spot.at(&(spot.place.start..spot.place.start + 1)) } else { head };
    let found = if network.is_list { document.exact("name") } else { document.get("name") };
    match found.map(|found| (found, found.text())) {
        None => {
            sheet.error("missing-key", &head, "the key name is missing: the network has none");
        }
        Some((found, None)) => {
            let text = format!("it is {}, but must be a text, the network's name", found.kind());
            // Of a single plugin it is told with its other keys.
            if network.is_list {
                sheet.error("wrong-type", &spot.member("name", &found.place), text);
            }
        }
        Some((found, Some(text))) => {
            if let Err(error) = NetworkName::new(text) {
                sheet.error("bad-value", &spot.member("name", &found.place), error.to_string());
            }
        }
    }
}

/// The version that all plugins are asked to speak, where it is one of ours.
fn version(sheet: &mut Sheet, network: &Network) -> Option<SpecVersion> {
    let (document, spot) = (&*network.document, network.spot());
    let of = |key| if network.is_list { document.exact(key) } else { document.get(key) };
    let mut best = None;
    let mut is_given = false;
    let singles = of("cniVersion").map(|node| (spot.member("cniVersion", &node.place), node));
    let list = of("cniVersions").filter(|_| network.is_list);
    let list = list.map(|node| (spot.member("cniVersions", &node.place), node));
    if let Some((at, node)) = list.as_ref().filter(|(_, node)| !matches!(node.value, Value::List(_))) {
        sheet.error("wrong-type", at, format!("it is {}, but must be a list of versions", node.kind()));
        is_given = true;
    }
    let items = list.iter().flat_map(|(at, node)| {
        node.items().iter().enumerate().map(|(index, item)| (at.item(index, item), item))
    });
    for (at, node) in singles.into_iter().chain(items) {
        is_given |= node.says_something();
        let Some(text) = node.text() else {
            if network.is_list {
                sheet.error(
                    "wrong-type",
                    &at,
                    format!("it is {}, but must be a text such as \"1.1.0\"", node.kind()),
                );
            }
            continue;
        };
        if text.is_empty() {
            continue;
        }
        match SpecVersion::find(text) {
            Some(version) => best = best.max(Some(version)),
            // Another version beside may be known.
            None if list.is_some() && Numbers::parse(text).is_some() => {}
            None => unknown_version(sheet, &at, text),
        }
    }
    if !is_given {
        let head = spot.at(&(spot.place.start..spot.place.start + 1));
        sheet.warn(
            "missing-key",
            &head,
            format!("the key cniVersion is missing, which means 0.1.0: write \"{GC}\""),
        );
    }
    best
}

fn unknown_version(sheet: &mut Sheet, at: &Spot, text: &str) {
    let newest = SpecVersion::CURRENT.as_str();
    let newer = Numbers::parse(text).is_some_and(|numbers| numbers > Numbers::from(SpecVersion::CURRENT));
    let all: Vec<_> = SpecVersion::ALL.iter().map(|version| version.as_str()).collect();
    let meant = if newer { newest } else { nearest(text, all.iter().copied()).unwrap_or(newest) };
    let text = format!("there is no version {} of the specification", cni_types::excerpt(text));
    sheet.error("unknown-version", at, text).meaning(&format!("\"{meant}\""));
}
