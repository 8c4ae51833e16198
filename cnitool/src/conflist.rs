//! Network configurations: a name, a version and the plugins to run in order (spec 1.1.0, section 1). Read as libcni
//! reads them.

pub mod dir;

use cni_types::{Error, NetworkName, Numbers, PluginName, Result, SpecVersion, excerpt};
use serde_json::{Map, Value};

/// One network: what a `.conflist` file says.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkList {
    /// The network's name.
    pub name: NetworkName,
    /// The version every plugin is asked to speak, as text: whether we know it is asked when it is used, so that a
    /// network from the future does not hide the others of its directory.
    pub version: String,
    /// CHECK is not wanted and always succeeds.
    pub disable_check: bool,
    /// GC is not wanted and does nothing.
    pub disable_gc: bool,
    /// Plugins of `<directory>/<name>/*.conf` do not belong to the network.
    pub only_inlined: bool,
    /// The plugins in ADD order.
    pub plugins: Vec<PluginConf>,
    /// The file's content, for the cache.
    pub bytes: Vec<u8>,
}

/// One plugin's object in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginConf {
    /// The executable's name.
    pub name: PluginName,
    /// The whole object; its keys are sorted, as those that libcni writes.
    pub object: Map<String, Value>,
}

impl NetworkList {
    /// Reads a list.
    ///
    /// # Errors
    /// Code 6 when it is no JSON object or a key has a value of the wrong type; code 7 for a bad name, an empty list
    /// of plugins, a plugin without `type`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let list: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|e| Error::decode("the network configuration list is not a JSON object").because(e))?;
        let name = list.get("name").map(|name| text("name", name)).transpose()?.unwrap_or_default();
        let only_inlined = boolean(&list, "loadOnlyInlinedPlugins")?;
        let plugins = match list.get("plugins") {
            Some(Value::Array(plugins)) if plugins.is_empty() => {
                return Err(Error::config("no plugins in list: \"plugins\" is empty"));
            }
            Some(Value::Array(plugins)) => {
                plugins.iter().map(PluginConf::from_value).collect::<Result<_>>()?
            }
            Some(_) => return Err(Error::decode("key \"plugins\": it must be a list")),
            None if only_inlined => {
                return Err(Error::config(
                    "\"loadOnlyInlinedPlugins\" is true, but there is no key \"plugins\"",
                ));
            }
            None => Vec::new(),
        };
        Ok(Self {
            name: NetworkName::new(name)?,
            version: version(&list)?,
            disable_check: boolean(&list, "disableCheck")?,
            disable_gc: boolean(&list, "disableGC")?,
            only_inlined,
            plugins,
            bytes: bytes.to_owned(),
        })
    }

    /// Turns the older format, one plugin per file, into a list of one.
    ///
    /// # Errors
    /// As [`NetworkList::parse`].
    pub fn from_single(bytes: &[u8]) -> Result<Self> {
        let plugin = PluginConf::parse(bytes)?;
        let object = plugin.object;
        let name = member(&object, "name").cloned().unwrap_or_else(|| "".into());
        let version = member(&object, "cniVersion").cloned().unwrap_or_else(|| "".into());
        let list = serde_json::json!({ "cniVersion": version, "name": name, "plugins": [object] });
        Self::parse(list.to_string().as_bytes())
    }

    /// The version, where we speak it.
    ///
    /// # Errors
    /// Code 7 for one that we do not speak.
    pub fn spec_version(&self) -> Result<SpecVersion> {
        SpecVersion::find(&self.version).ok_or_else(|| {
            Error::config(format!("network {}: unknown cniVersion {}", self.name, excerpt(&self.version)))
                .because(format!(
                    "the newest is {}; a list \"cniVersions\" of all that the plugins speak lets the runtime choose",
                    SpecVersion::CURRENT
                ))
        })
    }
}

impl PluginConf {
    /// Reads one plugin's object.
    ///
    /// # Errors
    /// Code 6 when it is no JSON object, code 7 when its `type` is missing or could leave `CNI_PATH`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|e| Error::decode("the plugin configuration is not valid JSON").because(e))?;
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self> {
        let Value::Object(object) = value else {
            return Err(Error::decode("a plugin's configuration must be an object"));
        };
        let name = member(object, "type").map(|name| text("type", name)).transpose()?.unwrap_or_default();
        if name.is_empty() {
            return Err(Error::config("a plugin's configuration has no \"type\""));
        }
        Ok(Self { name: PluginName::new(name)?, object: object.clone() })
    }

    /// Whether the plugin takes this capability argument.
    pub fn has_capability(&self, capability: &str) -> bool {
        let Some(Value::Object(capabilities)) = member(&self.object, "capabilities") else { return false };
        capabilities.get(capability) == Some(&Value::Bool(true))
    }
}

/// The value under `key`, the exact spelling first, then any case: as Go reads a plugin's object.
pub(crate) fn member<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let any_case = || object.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    object.get(key).or_else(any_case).filter(|value| !value.is_null())
}

/// The highest of `cniVersion` and `cniVersions` that is not newer than what we speak; without any, 0.1.0 (empty).
fn version(list: &Map<String, Value>) -> Result<String> {
    let own = list.get("cniVersion").map(|own| text("cniVersion", own)).transpose()?.unwrap_or_default();
    let Some(others) = list.get("cniVersions") else { return Ok(own.to_owned()) };
    let Value::Array(others) = others else {
        return Err(Error::decode("key \"cniVersions\": it must be a list of versions"));
    };
    let mut best: Option<(Numbers, &str)> = None;
    let others = others.iter().map(|other| text("cniVersions", other));
    for version in others.chain((!own.is_empty()).then_some(Ok(own))) {
        let version = version?;
        let numbers = Numbers::parse(version).ok_or_else(|| {
            Error::config(format!("invalid version {} in \"cniVersions\"", excerpt(version)))
        })?;
        let known = numbers <= Numbers::from(SpecVersion::CURRENT);
        if known && best.is_none_or(|(highest, _)| numbers > highest) {
            best = Some((numbers, version));
        }
    }
    Ok(best.map_or(own, |(_, version)| version).to_owned())
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::decode(format!("key \"{key}\": it must be a string")))
}

/// A boolean, also as the text "true" or "false" in any case.
fn boolean(list: &Map<String, Value>, key: &str) -> Result<bool> {
    let bad = || Error::decode(format!("key \"{key}\": it must be true or false"));
    match list.get(key) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::String(text)) => text.to_ascii_lowercase().parse().map_err(|_| bad()),
        Some(_) => Err(bad()),
    }
}

#[cfg(test)]
mod tests;
