//! A JSON object in the making. Keys are the same whatever their letters' case, as for whoever reads it.

use std::collections::BTreeMap;

use cni_types::Json;
use serde::{Deserialize, Deserializer};

/// The members; of two with one name the last counts. Whole numbers are written as such, since it is handed on: a
/// plugin takes 1400 and not `1400.0`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object(BTreeMap<String, Json>);

impl Object {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.keys().any(|k| k.eq_ignore_ascii_case(key))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        let folded = || self.0.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        self.0.get(key).or_else(folded)
    }

    pub(crate) fn get_str(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, key: &str, value: Json) {
        self.remove(key);
        self.0.insert(key.to_owned(), value);
    }

    /// Sets a key that is not there.
    pub(crate) fn default(&mut self, key: &str, value: Json) {
        if !self.has(key) {
            self.0.insert(key.to_owned(), value);
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|k, _| !k.eq_ignore_ascii_case(key));
    }

    /// The members, sorted at every depth.
    pub(crate) fn members(&self) -> Vec<(String, Json)> {
        self.0
            .clone()
            .into_iter()
            .map(|(key, mut value)| {
                value.sort_keys();
                (key, value)
            })
            .collect()
    }

    /// Sorted at every depth.
    pub(crate) fn json(&self) -> Json {
        Json::Object(self.members())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members: BTreeMap<String, Json> = BTreeMap::deserialize(deserializer)?;
        members.values_mut().for_each(Json::whole_numbers);
        Ok(Self(members))
    }
}
