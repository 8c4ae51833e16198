//! Values that hold no other: words, numbers, and strings with U+FFFD in place of half a surrogate pair.

use serde_json::Number;

use super::Json;
use super::reader::{Read, Reader};

impl Reader<'_> {
    /// A value that holds no other.
    pub(super) fn scalar(&mut self) -> Read<Json> {
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
    pub(super) fn string(&mut self) -> Read<String> {
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
