//! Declarations as schemas.

use cni_types::{Absent, Form};
use serde_json::{Map, Number, Value, json};

use super::pattern;
use crate::known::{Known, Shape};

/// Keys that are remarks, as [`crate::known::is_remark`] has them.
const REMARKS: &str = "^([_/#$]|x-|([cC]omments?|[dD]escription|[dD]ocumentation|[nN]ote|addIf|kubernetes)$)";
/// Objects that runtimes and containers' makers write into.
const OPEN: [&str; 3] = ["runtimeConfig", "args", "cni"];

/// A type or null, which is as good as no value.
pub(super) fn nullable(name: &str) -> Value {
    json!([name, "null"])
}

/// The keys of the object that a value is.
pub(super) fn keys(shape: &Shape) -> Vec<Known> {
    if let Shape::Object(keys) = shape { keys.clone() } else { Vec::new() }
}

/// An object with these keys and, where it is open, any others.
pub(super) fn object(known: &[Known], is_open: bool) -> Value {
    let properties: Map<_, _> =
        known.iter().map(|known| (known.key.name.to_owned(), property(known))).collect();
    let required: Vec<_> =
        known.iter().filter(|known| known.is_required).map(|known| known.key.name).collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if !is_open {
        schema["patternProperties"] = json!({REMARKS: true});
        schema["additionalProperties"] = false.into();
    }
    let conditions: Vec<_> = known.iter().flat_map(conditions).collect();
    if !conditions.is_empty() {
        schema["allOf"] = conditions.into();
    }
    schema
}

/// What the other keys have to do with one.
fn conditions(known: &Known) -> Vec<Value> {
    let says = |key: &str| json!({"properties": {key: {"not": {"enum": [null, false, 0, "", [], {}]}}}, "required": [key]});
    let this = || says(known.key.name);
    let needs = known.key.needs.map(|other| json!({"if": this(), "then": says(other)}));
    let excludes = known.key.excludes.map(|other| json!({"if": this(), "then": {"not": says(other)}}));
    [needs, excludes].into_iter().flatten().collect()
}

fn property(known: &Known) -> Value {
    let mut schema = shape(&known.shape, known.is_required, OPEN.contains(&known.key.name));
    let text = known.key.text.trim();
    if !text.is_empty() {
        schema["description"] = text.into();
    }
    if let Absent::Value(default) = known.key.absent {
        if let Ok(default) = serde_json::from_str(default) {
            schema["default"] = default;
        }
    }
    schema
}

fn shape(shape: &Shape, is_required: bool, is_open: bool) -> Value {
    match shape {
        Shape::Form(form) => self::form(form, is_required),
        Shape::List(items) => json!({"type": nullable("array"), "items": self::shape(items, false, false)}),
        Shape::Object(known) => {
            let mut schema = object(known, is_open);
            if !is_required {
                schema["type"] = nullable("object");
            }
            schema
        }
    }
}

fn form(form: &Form, is_required: bool) -> Value {
    match form {
        Form::Boolean => json!({"type": nullable("boolean")}),
        Form::Whole(intervals) => whole(intervals, is_required),
        Form::Text { what, check } => text(pattern::of(what, *check), is_required),
        Form::Words { words, any_case: false } if is_required => json!({"enum": words}),
        Form::Words { words, any_case: false } => {
            let words = words.iter().copied().chain([""]).map(Value::from);
            json!({"enum": words.chain([Value::Null]).collect::<Vec<_>>()})
        }
        Form::Words { words, any_case: true } => {
            let any_case =
                |word: &&str| word.chars().map(|c| format!("[{c}{}]", c.to_ascii_uppercase())).collect();
            let words: Vec<String> = words.iter().map(any_case).collect();
            text(Some(words.join("|")), is_required)
        }
        Form::List(_) => json!({"type": nullable("array")}),
        Form::Object(_) => json!({"type": nullable("object")}),
        Form::Map(values) => {
            json!({"type": nullable("object"), "additionalProperties": self::form(values, false)})
        }
        Form::Any => json!({}),
    }
}

/// An empty text is none, unless there has to be one.
fn text(pattern: Option<String>, is_required: bool) -> Value {
    match (pattern, is_required) {
        (None, true) => json!({"type": "string", "minLength": 1}),
        (None, false) => json!({"type": nullable("string")}),
        (Some(pattern), true) => json!({"type": "string", "pattern": format!("^({pattern})$")}),
        (Some(pattern), false) => json!({"type": nullable("string"), "pattern": format!("^({pattern})?$")}),
    }
}

fn whole(intervals: &[(i128, i128)], is_required: bool) -> Value {
    let one = |(first, last): &(i128, i128)| {
        let mut schema = json!({"type": if is_required { json!("integer") } else { nullable("integer") }});
        for (word, end) in [("minimum", first), ("maximum", last)] {
            let number =
                u64::try_from(*end).map(Number::from).or_else(|_| i64::try_from(*end).map(Number::from));
            if let Ok(number) = number {
                schema[word] = number.into();
            }
        }
        schema
    };
    match intervals {
        [only] => one(only),
        several => json!({"anyOf": several.iter().map(one).collect::<Vec<_>>()}),
    }
}
