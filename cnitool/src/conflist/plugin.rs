//! One plugin's object in a list.

use std::collections::BTreeMap;

use cni_types::{Error, Json, PluginName, Result, Shared};

/// One plugin's object in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginConf {
    /// The executable's name.
    pub name: PluginName,
    /// The whole object as libcni prints it: keys sorted, each once, whole numbers without fraction and exponent.
    pub object: Json,
    capabilities: BTreeMap<String, bool>,
}

impl PluginConf {
    /// Reads one plugin's object.
    ///
    /// # Errors
    /// Code 6 when it is no JSON object or a key that all plugins share has a value of the wrong type, code 7 when its
    /// `type` is missing or could leave `CNI_PATH`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_json(&Json::parse(bytes)?)
    }

    pub(super) fn from_json(json: &Json) -> Result<Self> {
        if !matches!(json, Json::Object(_)) {
            return Err(Error::decode("a plugin's configuration must be an object"));
        }
        // Typed, so that a mistake in one is an error here, not a request that no plugin ever gets.
        let shared: Shared = json.decode()?;
        if shared.plugin.is_empty() {
            return Err(Error::config("a plugin's configuration has no \"type\""));
        }
        let mut object = json.clone();
        object.whole_numbers();
        object.sort_keys();
        keep_last(&mut object);
        Ok(Self { name: PluginName::new(&shared.plugin)?, object, capabilities: shared.capabilities })
    }

    /// Whether the plugin takes this capability argument.
    pub fn has_capability(&self, capability: &str) -> bool {
        self.capabilities.get(capability) == Some(&true)
    }

    /// The capability arguments that the plugin takes.
    pub fn capabilities(&self) -> impl Iterator<Item = &str> {
        self.capabilities.iter().filter(|(_, wanted)| **wanted).map(|(capability, _)| capability.as_str())
    }
}

/// Of members with one key the last stays; the keys are sorted.
fn keep_last(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(keep_last),
        Json::Object(members) => {
            members.reverse();
            members.dedup_by(|later, kept| later.0 == kept.0);
            members.reverse();
            members.iter_mut().for_each(|(_, value)| keep_last(value));
        }
        _ => {}
    }
}
