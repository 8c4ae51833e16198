//! Types: Go's own, those that describe types, and those a sender defined.

use std::collections::BTreeMap;

use super::Error;

/// Most types a sender may define. The reference defines eleven.
const TYPES_MAX: usize = 64;

/// Number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeId(pub(super) i64);

impl TypeId {
    /// `int` of any size.
    pub const INT: Self = Self(2);
    /// `uint` of any size.
    pub const UINT: Self = Self(3);
    /// `[]byte`.
    pub const BYTES: Self = Self(5);
    /// `string`.
    pub const STRING: Self = Self(6);
    /// The description of a type.
    pub(super) const WIRE_TYPE: Self = Self(16);
    /// The first id a sender can choose.
    pub(super) const FIRST: i64 = 64;

    /// The `n`th id that a sender chooses.
    pub const fn nth(n: u8) -> Self {
        Self(Self::FIRST + n as i64)
    }
}

/// What a type id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// `bool`, `int`, `uint` or `float`: one number.
    Number,
    /// `[]byte` or `string`.
    Bytes,
    Slice(TypeId),
    Struct(Vec<Field>),
    /// Defined, but of a kind that is not read here.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) id: TypeId,
}

/// The types of one stream.
#[derive(Debug)]
pub(super) struct Types(BTreeMap<i64, Type>);

impl Types {
    /// Go's own, with the structs that a definition consists of: it is read as any other value is.
    pub(super) fn new() -> Self {
        let structure = |fields: &[(&str, i64)]| {
            let field = |&(name, id): &(&str, i64)| Field { name: name.to_owned(), id: TypeId(id) };
            Type::Struct(fields.iter().map(field).collect())
        };
        let (number, string) = (TypeId::INT.0, TypeId::STRING.0);
        let wire_type = [
            ("ArrayT", 17),
            ("SliceT", 19),
            ("StructT", 20),
            ("MapT", 23),
            ("GobEncoderT", 24),
            ("BinaryMarshalerT", 24),
            ("TextMarshalerT", 24),
        ];
        Self(BTreeMap::from([
            (1, Type::Number),
            (2, Type::Number),
            (3, Type::Number),
            (4, Type::Number),
            (5, Type::Bytes),
            (6, Type::Bytes),
            (16, structure(&wire_type)),
            (17, structure(&[("CommonType", 18), ("Elem", number), ("Len", number)])),
            (18, structure(&[("Name", string), ("Id", number)])),
            (19, structure(&[("CommonType", 18), ("Elem", number)])),
            (20, structure(&[("CommonType", 18), ("Field", 22)])),
            (21, structure(&[("Name", string), ("Id", number)])),
            (22, Type::Slice(TypeId(21))),
            (23, structure(&[("CommonType", 18), ("Key", number), ("Elem", number)])),
            (24, structure(&[("CommonType", 18)])),
        ]))
    }

    pub(super) fn get(&self, id: TypeId) -> Result<&Type, Error> {
        self.0.get(&id.0).ok_or(Error::UnknownType(id.0))
    }

    /// Adds a type its sender defined.
    pub(super) fn define(&mut self, id: i64, defined: Type) -> Result<(), Error> {
        if id < TypeId::FIRST || self.0.contains_key(&id) {
            return Err(Error::Redefined(id));
        }
        if self.0.range(TypeId::FIRST..).count() == TYPES_MAX {
            return Err(Error::TooMany("types"));
        }
        self.0.insert(id, defined);
        Ok(())
    }
}
