//! A file with a configuration: its text, and where in it something stands.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use cni_types::{Flaw, errno_text, read_json};

use super::document::Node;

/// The largest file that is read, in bytes. A network of ten thousand ranges has a tenth of it.
const SIZE_MAX: u64 = 8 << 20;

/// A file that was looked at.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path, or `<stdin>`.
    pub(crate) name: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) text: String,
    /// Where its lines start.
    lines: Vec<usize>,
}

/// Why there is nothing to look at: the kind of mistake, and what helps.
pub(crate) type Refused = (&'static str, String);

impl Source {
    pub(crate) fn new(name: String, path: Option<PathBuf>, text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = [0].into_iter().chain(ends).collect();
        Self { name, path, text, lines }
    }

    /// Line and column of an offset in bytes, both from 1; columns are characters.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..at.min(self.text.len())).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The line in which `place` starts, without its end, and the part of it that is `place`, in characters.
    pub(crate) fn line_of(&self, place: &Range<usize>) -> (&str, Range<usize>) {
        let (line, column) = self.position(place.start);
        let start = self.lines[line.saturating_sub(1)];
        let text = self.text[start..].split(['\n', '\r']).next().unwrap_or_default();
        let within = self.text.get(place.clone()).unwrap_or_default();
        let length = within.split(['\n', '\r']).next().unwrap_or_default().chars().count();
        (text, column - 1..column - 1 + length.max(1))
    }
}

/// The bytes of a file; nothing that could make us wait is opened.
///
/// # Errors
/// What it is instead of a file that can be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Refused> {
    let unreadable = |e: io::Error| ("unreadable", format!("it cannot be read: {}", errno_text(&e)));
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        let text = "it is no regular file: a configuration that has to be waited for is none";
        return Err(("not-a-file", text.to_owned()));
    }
    refuse_large(about.len())?;
    read_all(File::open(path).map_err(unreadable)?)
}

/// All that comes out of `input`.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_all(input: impl Read) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let end = input.take(SIZE_MAX + 1).read_to_end(&mut bytes);
    end.map_err(|e| ("unreadable", format!("it cannot be read: {}", errno_text(&e))))?;
    refuse_large(bytes.len() as u64)?;
    Ok(bytes)
}

fn refuse_large(size: u64) -> Result<(), Refused> {
    if size <= SIZE_MAX {
        return Ok(());
    }
    Err((
        "too-large",
        format!("it has more than {} MiB, which no network configuration needs", SIZE_MAX >> 20),
    ))
}

/// What is wrong with a text, and where.
pub(crate) struct Malformed {
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) place: Range<usize>,
}

/// The text, and the document in it.
///
/// # Errors
/// With the text as far as it is one: it is not UTF-8, has nothing in it, or is not JSON.
pub(crate) fn parse(bytes: &[u8]) -> (String, Result<Node, Malformed>) {
    let malformed = |code, text: &str, place| Err(Malformed { code, text: text.to_owned(), place });
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(e) => {
            let (text, at) = (String::from_utf8_lossy(bytes).into_owned(), e.valid_up_to());
            let hint = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16: save it as UTF-8",
                _ => "it is not UTF-8 from here on",
            };
            return (text, malformed("not-utf8", hint, at..at + 1));
        }
    };
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        let hint = "it starts with a byte order mark, which runtimes refuse: save it without";
        let place = 0..text.len() - rest.len();
        return (text, malformed("byte-order-mark", hint, place));
    }
    if text.trim().is_empty() {
        return (text, malformed("empty", "there is nothing in it", 0..0));
    }
    let document = read_json(bytes).map_err(|flaw: Flaw| Malformed {
        code: "not-json",
        text: explain(&text, &flaw),
        place: flaw.at..flaw.at + text[flaw.at..].chars().next().map_or(0, char::len_utf8),
    });
    (text, document)
}

/// The flaw, with the usual reason for it.
fn explain(text: &str, flaw: &Flaw) -> String {
    let (before, rest) = (text[..flaw.at].trim_end(), &text[flaw.at..]);
    let hint = match flaw.what {
        _ if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') => {
            "JSON has no comments: put them into a key such as \"_comment\""
        }
        _ if before.ends_with(',') && rest.starts_with(['}', ']']) => "leave out the comma before it",
        _ if rest.starts_with('\'') => "texts stand in double quotes",
        _ if rest.starts_with(['“', '”', '„', '‘', '’', '«', '»']) => {
            "an editor or a web page has made these quotes: write \""
        }
        _ if rest.starts_with(|c: char| !c.is_ascii() && (c.is_whitespace() || is_unseen(c))) => {
            "what looks like a space or nothing is another character: write a space"
        }
        _ if before.ends_with(',') && rest.starts_with(',') => "leave out one of the two commas",
        _ if rest.starts_with("True") || rest.starts_with("TRUE") => "write true",
        _ if rest.starts_with("False") || rest.starts_with("FALSE") => "write false",
        _ if rest.starts_with("None") || rest.starts_with("NULL") => "write null, or leave the key out",
        "invalid number" if rest.starts_with('0') => "a number has no zeros before it",
        _ if before.ends_with('0') && rest.starts_with(['x', 'X']) => "numbers are decimal",
        "trailing characters" => "there is more behind the document's end",
        "expected `,` or `}`" | "expected `,` or `]`" if rest.starts_with(['"', '{', '[']) => {
            "a comma is missing before it"
        }
        "expected a value before the end" => "the file ends too early",
        _ if rest.is_empty() => "the file ends too early",
        "expected a value" if flaw.at == 0 => "a configuration starts with {",
        what => return what.to_owned(),
    };
    format!("{}: {hint}", flaw.what)
}

/// What takes no room: zero-width spaces and joiners, marks of direction.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        let source = Source::new("f".into(), None, "{\r\n \"ä\": \"€\", \"b\": 1\n}".into());
        let at = source.text.find("\"b\"").unwrap();
        assert_eq!(source.position(at), (2, 12));
        assert_eq!(source.line_of(&(at..at + 3)), (" \"ä\": \"€\", \"b\": 1", 11..14));
        assert_eq!(source.position(source.text.len()), (3, 2));
    }
}
