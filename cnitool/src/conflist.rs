//! Network configurations: a name, a version and the plugins to run in order (spec 1.1.0, section 1). Read as libcni
//! reads them.

pub mod dir;
mod plugin;

use std::path::PathBuf;

use cni_types::{Error, Json, NetworkName, Numbers, Result, SpecVersion, excerpt};

pub use plugin::PluginConf;

/// One network: what a `.conflist` file says.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkList {
    /// The network's name.
    pub name: NetworkName,
    /// The version every plugin is asked to speak, as text: whether we know it is asked when it is used.
    pub version: String,
    /// CHECK is not wanted and always succeeds.
    pub disable_check: bool,
    /// GC is not wanted and does nothing.
    pub disable_gc: bool,
    /// Plugins of `<directory>/<name>/*.conf` do not belong to the network.
    pub only_inlined: bool,
    /// The plugins in ADD order.
    pub plugins: Vec<PluginConf>,
    /// The file it comes from, for messages; `None` for what is built in.
    pub file: Option<PathBuf>,
    /// The file's content, for the cache.
    pub bytes: Vec<u8>,
}

impl NetworkList {
    /// Reads a list.
    ///
    /// # Errors
    /// Code 6 when it is no JSON object or a key has a value of the wrong type; code 7 for a bad name, an empty list
    /// of plugins, a plugin without `type`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let list = Json::parse(bytes)?;
        if !matches!(list, Json::Object(_)) {
            return Err(Error::decode("the network configuration list is not a JSON object"));
        }
        let name = exact(&list, "name").map(|name| text("name", name)).transpose()?.unwrap_or_default();
        let only_inlined = boolean(&list, "loadOnlyInlinedPlugins")?;
        Ok(Self {
            name: NetworkName::new(name)?,
            version: version(&list)?,
            disable_check: boolean(&list, "disableCheck")?,
            disable_gc: boolean(&list, "disableGC")?,
            only_inlined,
            plugins: plugins(&list, only_inlined)?,
            file: None,
            bytes: bytes.to_owned(),
        })
    }

    /// Turns the older format, one plugin per file, into a list of one.
    ///
    /// # Errors
    /// As [`NetworkList::parse`].
    pub fn from_single(bytes: &[u8]) -> Result<Self> {
        let plugin = PluginConf::parse(bytes)?;
        let text = |key| Json::String(plugin.object.get_str(key).unwrap_or_default().to_owned());
        let list = [
            ("cniVersion", text("cniVersion")),
            ("name", text("name")),
            ("plugins", Json::Array(vec![plugin.object.clone()])),
        ];
        let list = Json::Object(list.map(|(key, value)| (key.to_owned(), value)).into());
        Self::parse(list.compact().as_bytes())
    }

    /// The version, where we speak it.
    ///
    /// # Errors
    /// Code 7 for one that we do not speak; the message names the file.
    pub fn spec_version(&self) -> Result<SpecVersion> {
        SpecVersion::find(&self.version).ok_or_else(|| {
            let file = self.file.as_ref().map(|file| format!("{}: ", file.display())).unwrap_or_default();
            let version = excerpt(&self.version);
            Error::config(format!("{file}network {}: unknown cniVersion {version}", self.name)).because(
                format!(
                    "the newest is {}; a list \"cniVersions\" of all that the plugins speak lets the runtime choose",
                    SpecVersion::CURRENT
                ),
            )
        })
    }

    /// What the plugins' `capabilities` declare, each once, in alphabetical order.
    pub fn capabilities(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.plugins.iter().flat_map(PluginConf::capabilities).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn plugins(list: &Json, only_inlined: bool) -> Result<Vec<PluginConf>> {
    match exact(list, "plugins") {
        Some(Json::Array(plugins)) if plugins.is_empty() => {
            Err(Error::config("no plugins in list: \"plugins\" is empty"))
        }
        Some(Json::Array(plugins)) => plugins.iter().map(PluginConf::from_json).collect(),
        Some(_) => Err(Error::decode("key \"plugins\": it must be a list")),
        None if only_inlined => {
            Err(Error::config("\"loadOnlyInlinedPlugins\" is true, but there is no key \"plugins\""))
        }
        None => Ok(Vec::new()),
    }
}

/// The highest of `cniVersion` and `cniVersions` that is not newer than what we speak; without any, 0.1.0 (empty).
fn version(list: &Json) -> Result<String> {
    let own = exact(list, "cniVersion").map(|own| text("cniVersion", own)).transpose()?.unwrap_or_default();
    let Some(others) = exact(list, "cniVersions") else { return Ok(own.to_owned()) };
    let Json::Array(others) = others else {
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

/// The value under `key`, as it is spelt: so libcni reads a list's own keys.
fn exact<'a>(list: &'a Json, key: &str) -> Option<&'a Json> {
    let Json::Object(members) = list else { return None };
    members.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value)
}

fn text<'a>(key: &str, value: &'a Json) -> Result<&'a str> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(Error::decode(format!("key \"{key}\": it must be a string"))),
    }
}

/// A boolean, also as the text "true" or "false" in any case.
fn boolean(list: &Json, key: &str) -> Result<bool> {
    let bad = || Error::decode(format!("key \"{key}\": it must be true or false"));
    match exact(list, key) {
        None => Ok(false),
        Some(Json::Bool(value)) => Ok(*value),
        Some(Json::String(text)) => text.to_ascii_lowercase().parse().map_err(|_| bad()),
        Some(_) => Err(bad()),
    }
}

#[cfg(test)]
mod tests;
