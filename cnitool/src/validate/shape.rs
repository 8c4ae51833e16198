//! A document against the declarations: which keys there may be, and what their values may be.

mod leaf;

use cni_types::{Form, same_key};

use super::document::{Node, Value};
use super::finding::{Sheet, Spot};
use super::places::Places;
use super::similar::similar;
use crate::known::{Known, Shape, is_remark};
use leaf::{leaf, wrong_type};

/// Compares an object with the keys it may have.
pub(crate) fn object(sheet: &mut Sheet, spot: &Spot, node: &Node, known: &[Known], places: &Places) {
    let Value::Object(members) = &node.value else {
        return wrong_type(sheet, spot, node, "an object");
    };
    for member in members {
        let key = &member.key;
        let at_key = spot.member(&key.text, &key.place);
        let Some(found) = find(known, &key.text) else {
            if !is_remark(&key.text) && !places.is_open(spot) {
                unknown(sheet, &at_key, &key.text, known, places, spot);
            }
            continue;
        };
        if found.key.name != key.text {
            let text = format!("it is read as {}", found.key.name);
            sheet.warn("key-case", &at_key, format!("{text}: write it so")).meant =
                Some(found.key.name.to_owned());
        }
        let at_value = at_key.at(&member.node.place);
        value(sheet, &at_value, &member.node, &found.shape, found.is_required, places);
    }
    for one in known {
        beside(sheet, spot, node, one, known);
    }
}

/// The key of this name, in any case.
fn find<'a>(known: &'a [Known], key: &str) -> Option<&'a Known> {
    known.iter().find(|known| same_key(known.key.name, key))
}

/// Whether the other keys agree with this one being there or not.
fn beside(sheet: &mut Sheet, spot: &Spot, node: &Node, one: &Known, known: &[Known]) {
    let name = one.key.name;
    let given = node.member(name).filter(|member| member.node.says_something());
    let Some(member) = given else {
        let is_empty =
            |value: &Node| value.text() == Some("") || value.is_object() && value.members().is_empty();
        if one.is_required && node.get(name).is_none_or(is_empty) {
            sheet.error(
                "missing-key",
                &Places::head(spot, node),
                format!("the key {name} is missing{}", what(one)),
            );
        }
        return;
    };
    let at_key = spot.member(&member.key.text, &member.key.place);
    let says = |name: &str| node.get(name).is_some_and(Node::says_something);
    if let Some(other) = one.key.needs.filter(|other| !says(other)) {
        sheet
            .error("needs-key", &at_key, format!("{name} means nothing without {other}: add {other}"))
            .meant = Some(other.to_owned());
    }
    if let Some(other) = one.key.excludes.filter(|other| says(other)) {
        // Each of the two may say so; once is enough.
        let first = find(known, other).is_none_or(|o| o.key.excludes != Some(name)) || name < other;
        if first {
            let text = format!("{name} and {other} exclude each other: leave one out");
            sheet.error("excludes-key", &at_key, text);
        }
    }
}

fn what(known: &Known) -> String {
    let text = known.key.text.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn unknown(sheet: &mut Sheet, at: &Spot, key: &str, known: &[Known], places: &Places, spot: &Spot) {
    let text = format!("no such key of {}{}", places.owner(spot), foreign(key));
    if let Some(place) = places.of_key(key, spot) {
        let text = format!("{text}; it belongs into {place}");
        sheet.error("wrong-place", at, text).meant = Some(place);
    } else if let Some(meant) = similar(key, known.iter().map(|known| known.key.name)) {
        sheet.error("unknown-key", at, text).meaning(meant);
    } else if let Some(meant) = places.similar(key, spot) {
        sheet.error("unknown-key", at, text).meaning(&meant);
    } else if let Some(plugin) = places.plugin_with(key) {
        let text = format!("{text}; it is one of {plugin}, which stands in the list of plugins on its own");
        sheet.error("wrong-place", at, text).meant = Some(plugin.to_owned());
    } else {
        sheet.warn("unknown-key", at, format!("{text}: nothing reads it"));
    }
}

/// Names what looks like a letter of ours, or like nothing, and is another character: no key or name of this suite has
/// any.
pub(crate) fn foreign(word: &str) -> String {
    let found = word.chars().find(|c| !c.is_ascii());
    found.map(|c| format!(" (U+{:04X} in it is no ASCII)", u32::from(c))).unwrap_or_default()
}

/// Compares a value with what it may be. `null` is as good as none.
pub(crate) fn value(
    sheet: &mut Sheet,
    spot: &Spot,
    node: &Node,
    shape: &Shape,
    is_required: bool,
    places: &Places,
) {
    if node.is_null() {
        return;
    }
    match shape {
        Shape::Object(known) => object(sheet, spot, node, known, places),
        Shape::List(items) => list(sheet, spot, node, items, places),
        Shape::Form(form) => leaf(sheet, spot, node, form, is_required),
    }
}

fn list(sheet: &mut Sheet, spot: &Spot, node: &Node, items: &Shape, places: &Places) {
    let Value::List(nodes) = &node.value else {
        let one = matches!((items, &node.value), (Shape::Object(_), Value::Object(_)))
            || matches!((items, node.text()), (Shape::Form(Form::Text { .. }), Some(_)));
        let hint = match items {
            Shape::List(_) if node.is_object() => ": write it with two brackets, [[ … ]]",
            _ if one => ": write [ … ] around it",
            _ => "",
        };
        return wrong_type(sheet, spot, node, &format!("a list{hint}"));
    };
    for (index, item) in nodes.iter().enumerate() {
        let spot = spot.item(index, item);
        if matches!(items, Shape::List(_)) && item.is_object() {
            wrong_type(
                sheet,
                &spot,
                item,
                "a list: it is a list of range sets, each a list of ranges; write it with two brackets, [[ … ]]",
            );
        } else {
            value(sheet, &spot, item, items, false, places);
        }
    }
}
