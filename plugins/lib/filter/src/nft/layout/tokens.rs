//! Words, and what stands between them.

/// What is read, or what is not understood.
pub(super) type Read<T> = std::result::Result<T, String>;

/// The end of a line or statement.
const END: &str = ";";

/// What is left of a text.
pub(super) struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The next token and what follows it: a string with its quotes, a brace, an end or a word.
    fn split(&self) -> Option<(&'a str, &'a str)> {
        let rest = self.0.trim_start_matches([' ', '\t']);
        let first = rest.chars().next()?;
        if first == '\n' {
            return Some((END, &rest[1..]));
        }
        let length = match first {
            '"' => rest[1..].find('"').map(|end| end + 2),
            '{' | '}' | ';' => Some(1),
            _ => rest.find(|c: char| c.is_whitespace() || "{};\"".contains(c)),
        };
        Some(rest.split_at(length.unwrap_or(rest.len())))
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.split().map(|(token, _)| token)
    }

    /// Takes these words, separated by a space, if they come next.
    pub(super) fn takes(&mut self, words: &str) -> bool {
        let mut ahead = Self(self.0);
        for word in words.split(' ') {
            match ahead.split() {
                Some((token, rest)) if token == word => ahead = Self(rest),
                _ => return false,
            }
        }
        *self = ahead;
        true
    }

    pub(super) fn expect(&mut self, word: &str) -> Read<()> {
        if self.takes(word) { Ok(()) } else { Err(format!("{word} is missing before {:?}", self.peek())) }
    }

    /// Takes a word or a string.
    pub(super) fn word(&mut self) -> Read<&'a str> {
        let next = self.split().filter(|(token, _)| !["{", "}", END].contains(token));
        let (token, rest) = next.ok_or_else(|| format!("a word is missing before {:?}", self.peek()))?;
        self.0 = rest;
        Ok(token)
    }

    /// Takes a string; gives it without its quotes.
    pub(super) fn string(&mut self) -> Read<&'a str> {
        let word = self.word()?;
        let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        inner.ok_or_else(|| format!("{word} is not in quotes"))
    }

    pub(super) fn skip_ends(&mut self) {
        while self.takes(END) {}
    }

    /// Whether a statement ends here.
    pub(super) fn is_end(&self) -> bool {
        self.peek().is_none_or(|token| [END, "}"].contains(&token))
    }

    /// Takes a block in braces: each of its statements starts with a word.
    pub(super) fn block(&mut self, mut statement: impl FnMut(&mut Self, &'a str) -> Read<()>) -> Read<()> {
        self.expect("{")?;
        self.skip_ends();
        while !self.takes("}") {
            let word = self.word()?;
            statement(self, word)?;
            self.skip_ends();
        }
        Ok(())
    }
}
