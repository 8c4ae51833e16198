//! A value that is no object of declared keys: what it may be, and the next step where it is something else.

use cni_types::{Form, Json, excerpt};

use crate::validate::document::{Node, Value};
use crate::validate::finding::{Sheet, Spot};
use crate::validate::similar::similar;

/// Compares it with its form.
pub(super) fn leaf(sheet: &mut Sheet, spot: &Spot, node: &Node, form: &'static Form, is_required: bool) {
    match (form, &node.value) {
        (Form::Any, _) | (Form::Boolean, Value::Leaf(Json::Bool(_))) => {}
        (Form::Boolean, _) => wrong_type(sheet, spot, node, &boolean(node)),
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

pub(super) fn wrong_type(sheet: &mut Sheet, spot: &Spot, node: &Node, wanted: &str) {
    sheet.error("wrong-type", spot, format!("it is {}, but must be {wanted}", node.kind()));
}

/// What is wanted, and that other languages have numbers for it.
fn boolean(node: &Node) -> String {
    let wanted = "true or false";
    match node.number() {
        Some(0) => format!("{wanted}: write false"),
        Some(1) => format!("{wanted}: write true"),
        _ => unquoted(node, wanted),
    }
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
    let text_of = format!("unknown word {}: it must be one of {all}", excerpt(text));
    let finding = sheet.error("unknown-word", spot, text_of);
    if let Some(meant) = similar(text, words.iter().copied()) {
        finding.meaning(meant);
    }
}
