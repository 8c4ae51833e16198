//! A JSON text as it is read, byte by byte.

/// The text, and how far it is read.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// Bytes.
    pub(super) at: usize,
}

/// What was read, or why it cannot be.
pub(super) type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it is not taken.
    pub(super) fn next(&mut self) -> Option<u8> {
        while self.byte().is_some_and(|b| b" \t\r\n".contains(&b)) {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes `wanted` if it is next.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let is_next = self.next() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }
}
