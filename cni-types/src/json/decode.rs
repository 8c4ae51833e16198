//! The deserializer behind [`Json::decode`]: serde's own derive does the fields, this does the Go rules.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
};
use serde::forward_to_deserialize_any;

use super::Json;
use super::failure::Failure;
use crate::error::Error;

impl Json {
    /// Reads the document as a `T`, with Go's leniency. `T` must not use `#[serde(flatten)]`: serde then asks for a
    /// map instead of fields, and the keys' case counts again.
    ///
    /// # Errors
    /// Code 6, naming the path of the key (`ipam.ranges[0][1].subnet`) and what is wrong with its value.
    pub fn decode<T: DeserializeOwned>(&self) -> crate::Result<T> {
        T::deserialize(Value(self)).map_err(|e| Error::decode(e.to_string()))
    }
}

struct Value<'a>(&'a Json);

impl<'a> Value<'a> {
    /// Those of these members that are there.
    #[inline(never)]
    fn members(&self, names: &[&'a str]) -> Result<Members<'a>, Failure> {
        match self.0 {
            Json::Null => Ok(Members::new(Vec::new())),
            Json::Object(_) => {
                let found = names.iter().filter_map(|name| self.0.get(name).map(|v| (*name, v)));
                Ok(Members::new(found.collect()))
            }
            // A derived struct would read a list as its fields in order; Go does not.
            other => Err(Failure::wrong_kind(other, "an object")),
        }
    }
}

/// Where a value of a known kind is wanted, `null` is that kind's zero: so `[null]` is a list of one empty string.
macro_rules! null_is_zero {
    ($($method:ident => $visit:ident($zero:expr),)*) => {$(
        fn $method<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.0 {
                Json::Null => visitor.$visit($zero),
                Json::Deep(_) => Err(Failure::wrong_kind(self.0, "a value")),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Failure;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(b) => visitor.visit_bool(*b),
            Json::Number(n) => visit_number(n, visitor),
            Json::String(s) => visitor.visit_str(s),
            Json::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Json::Object(members) => visitor.visit_map(Members::of(members)),
            Json::Deep(text) => visitor.visit_bytes(text.as_bytes()),
        }
    }

    null_is_zero! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_i64(0), deserialize_i16 => visit_i64(0),
        deserialize_i32 => visit_i64(0), deserialize_i64 => visit_i64(0),
        deserialize_u8 => visit_u64(0), deserialize_u16 => visit_u64(0),
        deserialize_u32 => visit_u64(0), deserialize_u64 => visit_u64(0),
        deserialize_f32 => visit_f64(0.0), deserialize_f64 => visit_f64(0.0),
        deserialize_str => visit_str(""), deserialize_string => visit_str(""),
        deserialize_seq => visit_seq(Items([].iter().enumerate())),
        deserialize_map => visit_map(Members::new(Vec::new())),
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_map(self.members(fields)?)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Json::String(s) => {
                visitor.visit_enum::<StrDeserializer<'_, Failure>>(s.as_str().into_deserializer())
            }
            other => Err(Failure::wrong_kind(other, "a string")),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// `1.0` and `1e3` are floats, which integer fields refuse, as Go's do.
fn visit_number<'de, V: de::Visitor<'de>>(n: &serde_json::Number, visitor: V) -> Result<V::Value, Failure> {
    if let Some(n) = n.as_u64() {
        visitor.visit_u64(n)
    } else if let Some(n) = n.as_i64() {
        visitor.visit_i64(n)
    } else {
        visitor.visit_f64(n.as_f64().unwrap_or(f64::NAN))
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Json>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((at, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Value(item)).map(Some).map_err(|e| e.under_item(at))
    }
}

struct Members<'a> {
    members: std::vec::IntoIter<(&'a str, &'a Json)>,
    current: Option<(&'a str, &'a Json)>,
}

impl<'a> Members<'a> {
    /// All of an object.
    #[inline(never)]
    fn of(members: &'a [(String, Json)]) -> Self {
        Self::new(members.iter().map(|(key, value)| (key.as_str(), value)).collect())
    }

    fn new(members: Vec<(&'a str, &'a Json)>) -> Self {
        Self { members: members.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.members.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let key: StrDeserializer<'_, Failure> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let (key, value) = self.current.take().unwrap_or(("", &Json::Null));
        match seed.deserialize(Value(value)) {
            Err(failure) => Err(failure.under(key)),
            decoded => decoded,
        }
    }
}
