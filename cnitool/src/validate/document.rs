//! A JSON document whose keys and values know where they stand.

use std::net::IpAddr;
use std::ops::Range;

use cni_types::{Json, JsonNode, parse_ip, same_key};

/// A value, and the bytes it is written in.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    /// Neither list nor object, or one below 127 others.
    Leaf(Json),
    List(Vec<Node>),
    /// In the order of the text, duplicates included.
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: Key,
    pub(crate) node: Node,
}

/// A key, and the bytes it is written in, quotes included.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Range<usize>,
}

impl JsonNode for Node {
    type Key = Key;

    fn key(text: String, place: Range<usize>) -> Key {
        Key { text, place }
    }

    fn leaf(json: Json, place: Range<usize>) -> Self {
        Self { place, value: Value::Leaf(json) }
    }

    fn array(items: Vec<Self>, place: Range<usize>) -> Self {
        Self { place, value: Value::List(items) }
    }

    fn object(members: Vec<(Key, Self)>, place: Range<usize>) -> Self {
        let members = members.into_iter().map(|(key, node)| Member { key, node }).collect();
        Self { place, value: Value::Object(members) }
    }
}

impl Node {
    /// The value under `key` as plugins read it: the last that is not null, one of exactly this spelling before others.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|member| &member.node)
    }

    /// The same with its key.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        let mut given = self.members().iter().rev().filter(|member| !member.node.is_null());
        let exact = given.clone().find(|member| member.key.text == key);
        exact.or_else(|| given.find(|member| same_key(&member.key.text, key)))
    }

    /// The value under `key` as libcni reads a list's own keys: in no other spelling.
    pub(crate) fn exact(&self, key: &str) -> Option<&Self> {
        self.members().iter().rev().find(|member| member.key.text == key).map(|member| &member.node)
    }

    pub(crate) fn members(&self) -> &[Member] {
        if let Value::Object(members) = &self.value { members } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Leaf(Json::Null))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Leaf(Json::String(text)) = &self.value { Some(text) } else { None }
    }

    /// The text under `key`, if it is one and not empty.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text).filter(|text| !text.is_empty())
    }

    /// The address under `key`, if it is one.
    pub(crate) fn ip_of(&self, key: &str) -> Option<IpAddr> {
        self.text_of(key).and_then(parse_ip)
    }

    /// Whether `key` is there and true.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Self { value: Value::Leaf(Json::Bool(true)), .. }))
    }

    /// Whether it says anything: neither null, false, 0, nor empty.
    pub(crate) fn says_something(&self) -> bool {
        match &self.value {
            Value::Leaf(Json::Null | Json::Bool(false)) => false,
            Value::Leaf(Json::String(text)) => !text.is_empty(),
            Value::Leaf(Json::Number(number)) => number.as_f64() != Some(0.0),
            Value::Leaf(_) => true,
            Value::List(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
        }
    }

    /// The whole number.
    pub(crate) fn number(&self) -> Option<i64> {
        if let Value::Leaf(Json::Number(number)) = &self.value { number.as_i64() } else { None }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
            Value::Leaf(Json::Null) => "null",
            Value::Leaf(Json::Bool(_)) => "true or false",
            Value::Leaf(Json::Number(_)) => "a number",
            Value::Leaf(Json::String(_)) => "a text",
            Value::Leaf(_) => "nested too deep",
        }
    }
}
