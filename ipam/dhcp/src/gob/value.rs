//! A value in its message.

use super::cursor::Cursor;
use super::types::{Field, Type, Types};
use super::{Error, TypeId};

/// Deepest nesting of structs and slices. The reference's deepest is a definition or a result: five.
const DEPTH_MAX: usize = 16;

/// A value that was seen to be whole and of its type, in all its parts.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    types: &'a Types,
    id: TypeId,
    bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// Takes a value of type `id` off the cursor.
    pub(super) fn take(cursor: &mut Cursor<'a>, types: &'a Types, id: TypeId) -> Result<Self, Error> {
        let before = cursor.rest();
        skip(cursor, types, id, DEPTH_MAX)?;
        let bytes = &before[..before.len() - cursor.rest().len()];
        Ok(Self { types, id, bytes })
    }

    /// The fields of a struct that are not zero, in the order of its definition, by name.
    ///
    /// # Errors
    /// When it is no struct.
    pub fn fields(&self) -> Result<Fields<'a>, Error> {
        let Type::Struct(fields) = self.types.get(self.id)? else { return Err(Error::Mismatch("a struct")) };
        Ok(Fields { types: self.types, fields, cursor: Cursor::new(self.bytes) })
    }

    /// The elements of a slice.
    ///
    /// # Errors
    /// When it is none.
    pub fn items(&self) -> Result<Items<'a>, Error> {
        let Type::Slice(element) = self.types.get(self.id)? else { return Err(Error::Mismatch("a slice")) };
        let mut cursor = Cursor::new(self.bytes);
        let left = cursor.length()?;
        Ok(Items { types: self.types, id: *element, left, cursor })
    }

    /// A `[]byte` or a `string`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn bytes(&self) -> Result<&'a [u8], Error> {
        match self.types.get(self.id)? {
            Type::Bytes => Cursor::new(self.bytes).bytes(),
            _ => Err(Error::Mismatch("bytes")),
        }
    }

    /// A `string`.
    ///
    /// # Errors
    /// When it is none, or not UTF-8.
    pub fn string(&self) -> Result<&'a str, Error> {
        if self.id != TypeId::STRING {
            return Err(Error::Mismatch("a string"));
        }
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::Utf8)
    }

    /// A signed number.
    ///
    /// # Errors
    /// When it is none.
    pub fn int(&self) -> Result<i64, Error> {
        if self.id != TypeId::INT {
            return Err(Error::Mismatch("a signed number"));
        }
        Cursor::new(self.bytes).int()
    }

    /// An unsigned number.
    ///
    /// # Errors
    /// When it is none.
    pub fn uint(&self) -> Result<u64, Error> {
        if self.id != TypeId::UINT {
            return Err(Error::Mismatch("an unsigned number"));
        }
        Cursor::new(self.bytes).uint()
    }
}

/// Reads over a value. What it accepts can be read again in parts without an error of the encoding.
fn skip(cursor: &mut Cursor, types: &Types, id: TypeId, depth: usize) -> Result<(), Error> {
    let deeper = depth.checked_sub(1).ok_or(Error::TooMany("levels of nesting"))?;
    match types.get(id)? {
        Type::Number => cursor.uint().map(drop),
        Type::Bytes => cursor.bytes().map(drop),
        Type::Slice(element) => {
            // An element has at least one byte, so a count of no more than the bytes left bounds the loop.
            for _ in 0..cursor.length()? {
                skip(cursor, types, *element, deeper)?;
            }
            Ok(())
        }
        Type::Struct(fields) => {
            let mut rest = fields.as_slice();
            while let Some(field) = next_field(cursor, &mut rest)? {
                skip(cursor, types, field.id, deeper)?;
            }
            Ok(())
        }
        Type::Other => Err(Error::UnknownType(id.0)),
    }
}

/// The next field that is sent: its distance from the one before, or 0 for none.
fn next_field<'a>(cursor: &mut Cursor, rest: &mut &'a [Field]) -> Result<Option<&'a Field>, Error> {
    let delta = cursor.uint()?;
    let Some(skipped) = delta.checked_sub(1) else { return Ok(None) };
    let after = usize::try_from(skipped).ok().and_then(|skipped| rest.get(skipped..));
    let (field, after) = after.and_then(<[Field]>::split_first).ok_or(Error::UnknownField(delta))?;
    *rest = after;
    Ok(Some(field))
}

/// See [`Value::fields`].
#[derive(Debug)]
pub struct Fields<'a> {
    types: &'a Types,
    fields: &'a [Field],
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(&'a str, Value<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = next_field(&mut self.cursor, &mut self.fields).transpose()?;
        Some(field.and_then(|field| {
            Ok((field.name.as_str(), Value::take(&mut self.cursor, self.types, field.id)?))
        }))
    }
}

/// See [`Value::items`].
#[derive(Debug)]
pub struct Items<'a> {
    types: &'a Types,
    id: TypeId,
    left: usize,
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Value<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(Value::take(&mut self.cursor, self.types, self.id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Items<'_> {}
