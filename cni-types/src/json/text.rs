//! JSON text to a document, as Go's `encoding/json` takes it: 10 000 levels of nesting.

use std::fmt;
use std::ops::Range;

use super::Json;
use super::reader::{Read, Reader};
use crate::error::Error;

/// Deepest nesting, that of Go's scanner.
const NESTING_MAX: usize = 10_000;
/// Deepest nesting of the tree; what is below stays text (see [`Json::Deep`]).
const TREE_MAX: usize = 127;

/// What a text becomes: a [`Json`], or a tree of one's own that keeps the places. Places are offsets in bytes, quotes
/// and brackets included.
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

impl Json {
    /// Reads one document.
    ///
    /// # Errors
    /// Code 6 when the bytes are not UTF-8, not JSON, nested over 10 000 levels, or hold more than one document; the
    /// details say where.
    pub fn parse(bytes: &[u8]) -> crate::Result<Self> {
        read_json(bytes).map_err(|e| Error::decode("the input is not valid JSON").because(e))
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
    let mut reader = Reader::new(text);
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

impl Reader<'_> {
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
}

/// What ends the list or object that `start` begins.
fn closing(start: u8) -> Option<u8> {
    match start {
        b'{' => Some(b'}'),
        b'[' => Some(b']'),
        _ => None,
    }
}
