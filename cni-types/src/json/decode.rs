//! The deserializer behind [`Json::decode`]: serde's own derive does the fields, this does the Go rules.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Json;

pub(super) fn decode<T: DeserializeOwned>(json: &Json) -> Result<T, Failure> {
    T::deserialize(Value(json))
}

/// Where decoding failed (`a.b[0]`, empty at the top) and why.
#[derive(Debug)]
pub(super) struct Failure {
    path: String,
    problem: String,
}

impl Failure {
    fn under(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "key \"{}\": {}", self.path, self.problem)
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self { path: String::new(), problem: problem.to_string() }
    }
}

struct Value<'a>(&'a Json);

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(b) => visitor.visit_bool(*b),
            Json::Number(n) => n.clone().into_deserializer_any(visitor),
            Json::String(s) => visitor.visit_string(s.clone()),
            Json::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate(), at: 0 }),
            Json::Object(members) => {
                let members = members.iter().map(|(k, v)| (k.as_str(), v)).collect::<Vec<_>>();
                visitor.visit_map(Members::new(members))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Json::Null => visitor.visit_map(Members::new(Vec::new())),
            Json::Object(_) => {
                let found = fields.iter().filter_map(|field| self.0.get(field).map(|v| (*field, v)));
                visitor.visit_map(Members::new(found.collect()))
            }
            // A derived struct would read a list as its fields in order; Go does not.
            other => Err(de::Error::custom(format!("invalid type: {}, expected an object", other.kind()))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Json::String(s) => {
                visitor.visit_enum::<StringDeserializer<Failure>>(s.clone().into_deserializer())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

/// A number's visit, with `Failure` as the error type.
trait NumberVisit {
    fn into_deserializer_any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure>;
}

impl NumberVisit for serde_json::Number {
    fn into_deserializer_any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(n) = self.as_u64() {
            visitor.visit_u64(n)
        } else if let Some(n) = self.as_i64() {
            visitor.visit_i64(n)
        } else {
            visitor.visit_f64(self.as_f64().unwrap_or(f64::NAN))
        }
    }
}

struct Items<'a, I: Iterator<Item = (usize, &'a Json)>> {
    items: I,
    at: usize,
}

impl<'a, 'de, I: Iterator<Item = (usize, &'a Json)>> SeqAccess<'de> for Items<'a, I> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((at, item)) = self.items.next() else { return Ok(None) };
        self.at = at;
        seed.deserialize(Value(item)).map(Some).map_err(|e| e.under(&format!("[{at}]")))
    }
}

struct Members<'a> {
    members: std::vec::IntoIter<(&'a str, &'a Json)>,
    current: Option<(&'a str, &'a Json)>,
}

impl<'a> Members<'a> {
    fn new(members: Vec<(&'a str, &'a Json)>) -> Self {
        Self { members: members.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.members.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let key: StringDeserializer<Failure> = key.to_owned().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let (key, value) = self.current.take().unwrap_or(("", &Json::Null));
        seed.deserialize(Value(value)).map_err(|e| e.under(key))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::Cidr;
    use crate::json::Json;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Conf {
        is_gateway: bool,
        mtu: u32,
        ranges: Vec<Vec<Range>>,
        dns: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Range {
        subnet: Option<Cidr>,
    }

    fn read(text: &str) -> crate::Result<Conf> {
        Json::parse(text.as_bytes())?.decode()
    }

    #[test]
    fn keys_match_as_go_matches_them() {
        let conf = read(r#"{"ISGATEWAY":true,"mtu":1,"Mtu":2,"MTU":null,"unknown":{},"dns":null}"#).unwrap();
        assert_eq!(conf, Conf { is_gateway: true, mtu: 2, ..Conf::default() });
    }

    #[test]
    fn a_wrong_type_names_its_key() {
        for (text, wanted) in [
            (r#"{"mtu":"x"}"#, "key \"mtu\": invalid type: string \"x\", expected u32"),
            (r#"{"mtu":1.5}"#, "key \"mtu\": invalid type: floating point `1.5`, expected u32"),
            (r#"{"mtu":-1}"#, "key \"mtu\": invalid value: integer `-1`, expected u32"),
            (r#"{"ranges":[[{"subnet":"10.0.0.0"}]]}"#, "key \"ranges[0][0].subnet\": invalid CIDR"),
            (r#"{"ranges":[[7]]}"#, "key \"ranges[0][0]\": invalid type: number, expected an object"),
            (r#"[]"#, "invalid type"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code.0, 6);
            assert!(error.msg.contains(wanted), "{text}: {}", error.msg);
        }
    }

    #[test]
    fn garbage_is_refused_without_a_panic() {
        for bytes in [&b""[..], b"{", b"{}{}", b"\xff", b"{\"a\":\"\xff\"}", &[b'['; 100_000]] {
            assert_eq!(Json::parse(bytes).unwrap_err().code.0, 6);
        }
    }
}
