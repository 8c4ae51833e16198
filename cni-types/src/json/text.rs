//! JSON text to a document, as Go's `encoding/json` takes it: 10 000 levels of nesting, and U+FFFD in place of half a
//! surrogate pair.

use std::fmt;
use std::ops::Range;

use serde_json::Number;

use super::Json;

/// Deepest nesting, that of Go's scanner.
const NESTING_MAX: usize = 10_000;
/// Deepest nesting of the tree; what is below stays text (see [`Json::Deep`]).
const TREE_MAX: usize = 127;

/// What a text becomes: a [`Json`], or a tree of one's own that keeps the places. Places are offsets in bytes, quotes and
/// brackets included.
pub trait JsonNode: Sized {
    /// The key of a member.
    type Key;

    /// A key.
    fn key(text: String, place: Range<usize>) -> Self::Key;
    /// A value that holds no other, or [`Json::Deep`].
    fn leaf(json: Json, place: Range<usize>) -> Self;
    /// A list.
    fn array(items: Vec<Self>, place: Range<usize>) -> Self;
    /// An object, duplicates included.
    fn object(members: Vec<(Self::Key, Self)>, place: Range<usize>) -> Self;
}

impl JsonNode for Json {
    type Key = String;

    fn key(text: String, _: Range<usize>) -> String {
        text
    }

    fn leaf(json: Self, _: Range<usize>) -> Self {
        json
    }

    fn array(items: Vec<Self>, _: Range<usize>) -> Self {
        Self::Array(items)
    }

    fn object(members: Vec<(String, Self)>, _: Range<usize>) -> Self {
        Self::merged(members)
    }
}

/// What is wrong with a text, and where.
#[derive(Debug)]
pub struct Flaw {
    /// In words.
    pub what: &'static str,
    /// The offset in bytes.
    pub at: usize,
    line: usize,
    column: usize,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.what, self.line, self.column)
    }
}

/// Reads one document into whatever keeps it.
///
/// # Errors
/// The first byte that cannot be, as in [`Json::parse`].
pub fn read_json<T: JsonNode>(bytes: &[u8]) -> Result<T, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|e| flaw(bytes, e.valid_up_to(), "not UTF-8"))?;
    let mut reader = Reader { text, at: 0 };
    let document = reader.value(0).and_then(|json| match reader.next() {
        None => Ok(json),
        Some(_) => Err("trailing characters"),
    });
    document.map_err(|what| flaw(bytes, reader.at, what))
}

fn flaw(bytes: &[u8], at: usize, what: &'static str) -> Flaw {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = before.split(|b| *b == b'\n');
    let column = line.clone().next_back().map_or(0, <[u8]>::len) + 1;
    Flaw { what, at, line: line.count(), column }
}

/// The text, and how far it is read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it is not taken.
    fn next(&mut self) -> Option<u8> {
        while self.byte().is_some_and(|b| b" \t\r\n".contains(&b)) {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes `wanted` if it is next.
    fn take(&mut self, wanted: u8) -> bool {
        let is_next = self.next() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    /// A value inside of `depth` lists and objects.
    fn value<T: JsonNode>(&mut self, depth: usize) -> Read<T> {
        let Some(end) = self.next().and_then(closing) else {
            let start = self.at;
            return Ok(T::leaf(self.scalar()?, start..self.at));
        };
        let start = self.at;
        if depth == TREE_MAX {
            self.deep(depth)?;
            return Ok(T::leaf(Json::Deep(self.text[start..self.at].to_owned()), start..self.at));
        }
        self.at += 1;
        let (mut items, mut members) = (Vec::new(), Vec::new());
        let mut more = !self.take(end);
        while more {
            if end == b'}' {
                let (key, place) = self.key()?;
                members.push((T::key(key, place), self.value(depth + 1)?));
            } else {
                items.push(self.value(depth + 1)?);
            }
            more = self.goes_on(end)?;
        }
        let place = start..self.at;
        Ok(if end == b'}' { T::object(members, place) } else { T::array(items, place) })
    }

    /// A list or object that is too deep for the tree: its end is looked for without recursion.
    fn deep(&mut self, depth: usize) -> Read<()> {
        let mut open = Vec::new();
        loop {
            if let Some(end) = self.next().and_then(closing) {
                open.push(end);
                if depth + open.len() > NESTING_MAX {
                    return Err("nesting of more than 10000 levels");
                }
                self.at += 1;
                if self.take(end) {
                    open.pop();
                } else {
                    self.key_in(end)?;
                    continue;
                }
            } else {
                self.scalar()?;
            }
            while let Some(end) = open.last().copied() {
                if self.goes_on(end)? {
                    self.key_in(end)?;
                    break;
                }
                open.pop();
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// Whether another value follows in what ends with `end`.
    fn goes_on(&mut self, end: u8) -> Read<bool> {
        match self.take(b',') {
            true => Ok(true),
            false if self.take(end) => Ok(false),
            false if end == b'}' => Err("expected `,` or `}`"),
            false => Err("expected `,` or `]`"),
        }
    }

    /// The key of a member, where members are.
    fn key_in(&mut self, end: u8) -> Read<()> {
        if end == b'}' { self.key().map(drop) } else { Ok(()) }
    }

    /// A key, and where it stands.
    fn key(&mut self) -> Read<(String, Range<usize>)> {
        if !self.take(b'"') {
            return Err("expected a key in double quotes");
        }
        let start = self.at - 1;
        let key = (self.string()?, start..self.at);
        if self.take(b':') { Ok(key) } else { Err("expected `:`") }
    }

    /// A value that holds no other.
    fn scalar(&mut self) -> Read<Json> {
        if self.take(b'"') {
            return self.string().map(Json::String);
        }
        let rest = &self.text[self.at..];
        for (word, json) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(json);
            }
        }
        let is_number = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
        let length = rest.bytes().take_while(|b| is_number(*b)).count();
        let number = rest[..length].parse::<Number>().map_err(|e| match (rest.is_empty(), length) {
            (true, _) => "expected a value before the end",
            (_, 0) => "expected a value",
            _ if e.to_string().contains("range") => "number out of range",
            _ => "invalid number",
        })?;
        self.at += length;
        Ok(Json::Number(number))
    }

    /// What is between the quotes; the first is taken.
    fn string(&mut self) -> Read<String> {
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().take_while(|b| *b >= b' ' && *b != b'"' && *b != b'\\').count();
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err("control character in a string"),
                None => return Err("a string without its end"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escaped = self.text.as_bytes().get(self.at + 1).ok_or("a string without its end")?;
        let plain = match escaped {
            b'"' | b'\\' | b'/' => char::from(*escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err("invalid escape"),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or the two of a surrogate pair; half a pair is U+FFFD, and what follows it stands for itself.
    fn code_point(&mut self) -> Read<char> {
        let first = self.unit(self.at).ok_or("invalid escape")?;
        let second = self.unit(self.at + 6);
        let pair = char::decode_utf16([first].into_iter().chain(second)).next();
        let point = pair.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.at += if point.len_utf16() == 2 { 12 } else { 6 };
        Ok(point)
    }

    /// The UTF-16 unit of the `\uXXXX` that starts at `at`.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    }
}

/// What ends the list or object that `start` begins.
fn closing(start: u8) -> Option<u8> {
    match start {
        b'{' => Some(b'}'),
        b'[' => Some(b']'),
        _ => None,
    }
}
