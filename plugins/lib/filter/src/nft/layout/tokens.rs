//! Words, and what stands between them.

/// What is read, or what is not understood.
pub(super) type Read<T> = std::result::Result<T, String>;

/// The end of a line or statement.
const END: &str = ";";

/// What is left of a text. Most tokens are asked for in many ways before one fits, so the next one is at hand.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    /// A string with its quotes, a brace, an end or a word.
    next: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut tokens = Self { next: None, rest: text };
        tokens.advance();
        tokens
    }

    fn advance(&mut self) {
        let blank = self.rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let text = &self.rest[blank..];
        let length = match text.as_bytes() {
            [b'"', inner @ ..] => inner.iter().position(|&byte| byte == b'"').map(|end| end + 2),
            [b'\n' | b'{' | b'}' | b';', ..] => Some(1),
            word => {
                word.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'{' | b'}' | b';' | b'"'))
            }
        };
        let (token, rest) = text.split_at(length.unwrap_or(text.len()));
        self.next = match token {
            "" => None,
            "\n" => Some(END),
            token => Some(token),
        };
        self.rest = rest;
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.next
    }

    /// Takes these words, separated by a space, if they come next.
    pub(super) fn takes(&mut self, words: &str) -> bool {
        let mut ahead = *self;
        for word in words.split(' ') {
            if ahead.next != Some(word) {
                return false;
            }
            ahead.advance();
        }
        *self = ahead;
        true
    }

    pub(super) fn expect(&mut self, word: &str) -> Read<()> {
        if self.takes(word) { Ok(()) } else { Err(format!("{word} is missing before {:?}", self.peek())) }
    }

    /// Takes a word or a string.
    pub(super) fn word(&mut self) -> Read<&'a str> {
        let next = self.next.filter(|token| !["{", "}", END].contains(token));
        let token = next.ok_or_else(|| format!("a word is missing before {:?}", self.next))?;
        self.advance();
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
