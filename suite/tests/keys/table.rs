//! A plugin's keys as a README's table.

use std::fmt::Write;

use cni_types::{Absent, Form, Key, PluginKeys};

/// The table, with a newline at its end.
pub(crate) fn table(plugin: &PluginKeys) -> String {
    let mut rows = "| key | value | default | effect |\n| --- | --- | --- | --- |\n".to_owned();
    for key in plugin.keys.iter().copied().flatten() {
        push(&mut rows, "", key);
    }
    for key in plugin.args {
        row(&mut rows, &format!("`CNI_ARGS` `{}`", key.name), key);
    }
    rows
}

fn push(rows: &mut String, place: &str, key: &Key) {
    let path = format!("{place}{}", key.name);
    if !key.text.is_empty() {
        row(rows, &format!("`{path}`"), key);
    }
    let (inside, brackets) = object(&key.form, String::new());
    // The same for all plugins.
    if matches!(key.name, "dns" | "routes") || path == "ipam" && inside.len() == 1 {
        return;
    }
    for key in inside {
        push(rows, &format!("{path}{brackets}."), key);
    }
}

/// The keys of the object that is in this, in however many lists.
fn object(form: &Form, brackets: String) -> (&'static [Key], String) {
    match form {
        Form::Object(keys) => (keys, brackets),
        Form::List(items) => object(items, brackets + "[]"),
        _ => (&[], brackets),
    }
}

fn row(rows: &mut String, name: &str, key: &Key) {
    let absent = match key.absent {
        Absent::Required => "required".to_owned(),
        Absent::Value(json) => format!("`{}`", json.trim_matches('"')),
        Absent::Otherwise(path) if path.starts_with('/') => format!("`{path}`"),
        Absent::Otherwise(words) => words.to_owned(),
        Absent::Nothing => "none".to_owned(),
    };
    let mut text = key.text.trim().to_owned();
    if let Some(other) = key.needs {
        write!(text, "; only with `{other}`").unwrap();
    }
    if let Some(other) = key.excludes {
        write!(text, "; not together with `{other}`").unwrap();
    }
    if let Some(capability) = name.strip_prefix("`runtimeConfig.").filter(|name| !name.contains('.')) {
        write!(text, " (capability `{capability})").unwrap();
    }
    writeln!(rows, "| {name} | {} | {absent} | {text} |", value(&key.form)).unwrap();
}

fn value(form: &Form) -> String {
    match form {
        Form::Boolean => "true, false".to_owned(),
        Form::Whole(intervals) => {
            let one = |(first, last): &(i128, i128)| {
                if first == last { first.to_string() } else { format!("{first}–{last}") }
            };
            intervals.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Form::Text { what, .. } => (*what).to_owned(),
        Form::Words { words, .. } => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Form::List(items) => format!("list of {}", several(items)),
        Form::Object(_) => "object".to_owned(),
        Form::Map(values) => format!("object of {}", several(values)),
        Form::Any => "anything".to_owned(),
    }
}

fn several(form: &Form) -> String {
    match form {
        Form::List(items) => format!("lists of {}", several(items)),
        Form::Object(_) => "objects".to_owned(),
        Form::Text { what: "IP address", .. } => "IP addresses".to_owned(),
        Form::Text { what: "address with prefix length", .. } => "addresses with prefix length".to_owned(),
        Form::Text { .. } => "texts".to_owned(),
        _ => value(form),
    }
}
