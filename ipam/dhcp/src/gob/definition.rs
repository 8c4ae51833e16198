//! Types as their sender describes them: a value that is read as any other.

use super::types::{Field, Type, TypeId};
use super::{Error, Value};

/// Most fields of a struct.
const FIELDS_MAX: usize = 64;
/// Longest field name in bytes.
const NAME_MAX: usize = 64;

impl Type {
    /// Reads a definition.
    pub(super) fn read(definition: &Value) -> Result<Self, Error> {
        let mut found = Self::Other;
        for kind in definition.fields()? {
            let (kind, description) = kind?;
            for part in description.fields()? {
                match (kind, part?) {
                    ("StructT", ("Field", fields)) => found = Self::Struct(read_fields(&fields)?),
                    ("StructT", _) if found == Self::Other => found = Self::Struct(Vec::new()),
                    ("SliceT", ("Elem", id)) => found = Self::Slice(TypeId(id.int()?)),
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

fn read_fields(list: &Value) -> Result<Vec<Field>, Error> {
    let items = list.items()?;
    if items.len() > FIELDS_MAX {
        return Err(Error::TooMany("fields"));
    }
    let field = |item: Result<Value, Error>| {
        let (mut name, mut id) = ("", 0);
        for part in item?.fields()? {
            match part? {
                ("Name", value) => name = value.string()?,
                ("Id", value) => id = value.int()?,
                _ => {}
            }
        }
        if name.len() > NAME_MAX {
            return Err(Error::TooMany("bytes in the name of a field"));
        }
        Ok(Field { name: name.to_owned(), id: TypeId(id) })
    };
    items.map(field).collect()
}
