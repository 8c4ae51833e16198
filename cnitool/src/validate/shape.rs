//! A document against the declarations: which keys there may be, and what their values may be.

use cni_types::{Form, Json, nearest, same_key};

use super::document::{Node, Value};
use super::finding::{Sheet, Spot};
use super::places::Places;
use crate::known::{Known, Shape, is_remark};

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
    let text = format!("no such key of {}", places.owner(spot));
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

/// The word that was meant: but for `_`, `-` and case, a slip or two, or what is left out at its end.
pub(crate) fn similar<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let plain = |word: &str| word.replace(['_', '-'], "").to_lowercase();
    let this = plain(word);
    let mut all = candidates.clone();
    let same = all.find(|candidate| plain(candidate) == this);
    let near = || nearest(word, candidates.clone());
    let longer = || {
        let mut all = candidates.clone().filter(|_| this.len() >= 4);
        all.find(|candidate| {
            let candidate = plain(candidate);
            candidate.starts_with(&this) || candidate.len() >= 4 && this.starts_with(&candidate)
        })
    };
    let shorter = || {
        let mut all = candidates.clone();
        all.find(|candidate| {
            let candidate = plain(candidate);
            candidate.len() >= 5 && candidate.len() * 2 >= this.len() && is_within(&candidate, &this)
        })
    };
    same.or_else(near).or_else(longer).or_else(shorter)
}

/// Whether the letters of `short` are in `long`, in order.
fn is_within(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().all(|wanted| letters.any(|letter| letter == wanted))
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

fn leaf(sheet: &mut Sheet, spot: &Spot, node: &Node, form: &'static Form, is_required: bool) {
    match (form, &node.value) {
        (Form::Any, _) | (Form::Boolean, Value::Leaf(Json::Bool(_))) => {}
        (Form::Boolean, _) => wrong_type(sheet, spot, node, &unquoted(node, "true or false")),
        (Form::Whole(intervals), Value::Leaf(Json::Number(number))) => {
            whole(sheet, spot, number, intervals);
        }
        (Form::Whole(_), _) => wrong_type(sheet, spot, node, &unquoted(node, "a whole number")),
        (Form::Text { check, .. }, Value::Leaf(Json::String(text))) => {
            if let Some(error) = check(text).err().filter(|_| !text.is_empty() || is_required) {
                sheet.error("bad-value", spot, error.to_string());
            }
        }
        (Form::Words { words, any_case }, Value::Leaf(Json::String(text))) => {
            word(sheet, spot, text, words, *any_case);
        }
        (Form::Text { what, .. }, _) => wrong_type(sheet, spot, node, &quoted(node, what)),
        (Form::Words { .. }, _) => wrong_type(sheet, spot, node, &quoted(node, "word")),
        (Form::Map(values), Value::Object(members)) => {
            for member in members.iter().filter(|member| !member.node.is_null()) {
                let spot = spot.member(&member.key.text, &member.node.place);
                leaf(sheet, &spot, &member.node, values, false);
            }
        }
        (Form::Map(_) | Form::Object(_), _) => wrong_type(sheet, spot, node, "an object"),
        (Form::List(_), _) => wrong_type(sheet, spot, node, "a list"),
    }
}

fn wrong_type(sheet: &mut Sheet, spot: &Spot, node: &Node, wanted: &str) {
    sheet.error("wrong-type", spot, format!("it is {}, but must be {wanted}", node.kind()));
}

/// What is wanted, and that the quotes are what is wrong.
fn unquoted(node: &Node, wanted: &str) -> String {
    let meant = node.text().filter(|text| {
        if wanted.starts_with("true") {
            ["true", "false"].contains(text)
        } else {
            text.parse::<u64>().is_ok()
        }
    });
    meant.map_or_else(|| wanted.to_owned(), |meant| format!("{wanted}: write {meant}, without quotes"))
}

/// What is wanted, and that quotes are missing.
fn quoted(node: &Node, wanted: &str) -> String {
    let article = if wanted.starts_with(['a', 'i', 'I']) { "an" } else { "a" };
    let wanted = if wanted == "text" { "a text".to_owned() } else { format!("a text, {article} {wanted}") };
    match &node.value {
        Value::Leaf(json @ (Json::Number(_) | Json::Bool(_))) => {
            format!("{wanted}: write \"{}\"", json.compact())
        }
        Value::List(items) if items.len() == 1 => format!("{wanted}: leave out the brackets"),
        _ => wanted,
    }
}

fn whole(sheet: &mut Sheet, spot: &Spot, number: &serde_json::Number, intervals: &[(i128, i128)]) {
    let mut json = Json::Number(number.clone());
    json.whole_numbers();
    let Json::Number(number) = json else { return };
    let Some(value) = number.as_i128() else {
        let text = match number.as_f64() {
            Some(value) if value.fract() == 0.0 => out_of_range(&number.to_string(), intervals),
            _ => {
                let text = format!("{number} is a fraction, but it must be a whole number");
                sheet.error("wrong-type", spot, text);
                return;
            }
        };
        sheet.error("out-of-range", spot, text);
        return;
    };
    if !intervals.iter().any(|(first, last)| (first..=last).contains(&&value)) {
        sheet.error("out-of-range", spot, out_of_range(&value.to_string(), intervals));
    }
}

fn out_of_range(value: &str, intervals: &[(i128, i128)]) -> String {
    let one = |(first, last): &(i128, i128)| {
        if first == last { first.to_string() } else { format!("{first}–{last}") }
    };
    let all: Vec<_> = intervals.iter().map(one).collect();
    format!("{value} is out of range: it must be {}", all.join(" or "))
}

fn word(sheet: &mut Sheet, spot: &Spot, text: &str, words: &[&'static str], any_case: bool) {
    let is = |word: &&str| **word == *text || any_case && word.eq_ignore_ascii_case(text);
    if text.is_empty() || words.iter().any(is) {
        return;
    }
    let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let text_of = format!("unknown word {}: it must be one of {all}", cni_types::excerpt(text));
    let finding = sheet.error("unknown-word", spot, text_of);
    if let Some(meant) = similar(text, words.iter().copied()) {
        finding.meaning(meant);
    }
}
