//! From bytes as they arrive to values.

use std::ops::Range;

use super::cursor::Cursor;
use super::types::{Type, Types};
use super::{Error, MESSAGE_MAX, TypeId, Value};

/// The reading end of a stream. It does no input: [`Self::feed`] it what has arrived, then take every value.
#[derive(Debug)]
pub struct Decoder {
    types: Types,
    buffer: Vec<u8>,
    /// How much of the buffer has been read.
    read: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { types: Types::new(), buffer: Vec::new(), read: 0 }
    }
}

impl Decoder {
    /// Takes bytes that have arrived. They are kept until their message has been read, so who feeds only when
    /// [`Self::next_value`] has nothing left holds no more than one message and one read.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next value that has arrived in full; none when more bytes are needed. Definitions on the way are noted.
    ///
    /// # Errors
    /// When the bytes are not gob that is read here. There is no way to read on.
    pub fn next_value(&mut self) -> Result<Option<Value<'_>>, Error> {
        let (id, body) = loop {
            let Some(message) = self.next_message()? else { return Ok(None) };
            let mut cursor = Cursor::new(&self.buffer[message.clone()]);
            let id = cursor.int()?;
            let body = message.end - cursor.rest().len()..message.end;
            if id >= 0 {
                break (TypeId(id), body);
            }
            let defined = Type::read(&self.value(TypeId::WIRE_TYPE, body)?)?;
            self.types.define(id.checked_neg().ok_or(Error::Number)?, defined)?;
        };
        self.value(id, body).map(Some)
    }

    /// The one value that `body` consists of.
    fn value(&self, id: TypeId, body: Range<usize>) -> Result<Value<'_>, Error> {
        let mut cursor = Cursor::new(&self.buffer[body]);
        if !matches!(self.types.get(id)?, Type::Struct(_)) {
            return Err(Error::Mismatch("a struct"));
        }
        let value = Value::take(&mut cursor, &self.types, id)?;
        if cursor.rest().is_empty() { Ok(value) } else { Err(Error::Trailing(cursor.rest().len())) }
    }

    /// Where the next message is in the buffer, when all of it is there.
    fn next_message(&mut self) -> Result<Option<Range<usize>>, Error> {
        let mut cursor = Cursor::new(&self.buffer[self.read..]);
        let length = match cursor.uint() {
            Err(Error::Truncated) => return Ok(None),
            length => length?,
        };
        let fits = usize::try_from(length).ok().filter(|length| *length <= MESSAGE_MAX);
        let length = fits.ok_or(Error::TooLong(length))?;
        if cursor.rest().len() < length {
            return Ok(None);
        }
        let start = self.buffer.len() - cursor.rest().len();
        self.read = start + length;
        Ok(Some(start..self.read))
    }
}
