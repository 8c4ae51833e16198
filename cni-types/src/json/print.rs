//! A document to text.

use std::fmt::Write;

use super::Json;

impl Json {
    /// The document as the reference prints it: 4 spaces of indent, no final newline.
    pub fn pretty(&self) -> String {
        Printer::print(self, true)
    }

    /// The document on one line, without white space.
    pub fn compact(&self) -> String {
        Printer::print(self, false)
    }
}

/// The text so far, and the nesting of what is written; without, everything is on one line.
struct Printer {
    text: String,
    depth: Option<usize>,
}

impl Printer {
    /// The document's text: on one line without white space, or with 4 spaces of indent as the reference prints it.
    fn print(json: &Json, is_pretty: bool) -> String {
        let mut printer = Self { text: String::with_capacity(1024), depth: is_pretty.then_some(0) };
        printer.value(json);
        printer.text
    }

    fn value(&mut self, json: &Json) {
        match json {
            Json::Null => self.text.push_str("null"),
            Json::Bool(true) => self.text.push_str("true"),
            Json::Bool(false) => self.text.push_str("false"),
            // Writing to a String cannot fail.
            Json::Number(number) => drop(write!(self.text, "{number}")),
            Json::String(text) => push_string(&mut self.text, text),
            Json::Array(items) => {
                self.text.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.begin(at == 0);
                    self.value(item);
                }
                self.end(items.is_empty());
                self.text.push(']');
            }
            Json::Object(members) => {
                self.text.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    self.begin(at == 0);
                    push_string(&mut self.text, key);
                    self.text.push_str(if self.depth.is_some() { ": " } else { ":" });
                    self.value(value);
                }
                self.end(members.is_empty());
                self.text.push('}');
            }
            Json::Deep(text) => self.text.push_str(text),
        }
    }

    /// What is before an item of a list, or a member of an object.
    fn begin(&mut self, is_first: bool) {
        if is_first {
            self.depth = self.depth.map(|depth| depth + 1);
        } else {
            self.text.push(',');
        }
        self.line();
    }

    /// What is behind the last one.
    fn end(&mut self, is_empty: bool) {
        if !is_empty {
            self.depth = self.depth.map(|depth| depth - 1);
            self.line();
        }
    }

    fn line(&mut self) {
        if let Some(depth) = self.depth {
            self.text.push('\n');
            (0..depth).for_each(|_| self.text.push_str("    "));
        }
    }
}

/// Appends a JSON string.
pub fn push_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // As above.
            '\0'..' ' => drop(write!(text, "\\u{:04x}", u32::from(c))),
            _ => text.push(c),
        }
    }
    text.push('"');
}
