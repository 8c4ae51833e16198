//! The environment of the tool, as the Go `cnitool` reads it.

use std::path::{Component, Path, PathBuf};

use cni_types::{Code, ContainerId, Error, IfName, Json, Result, excerpt, hex, nearest};

use crate::cache::Cache;
use crate::chain::Runtime;
use crate::conflist::{NetworkList, dir};
use crate::invoke::{CapabilityArgs, RuntimeConf};
use crate::target::Target;

const NET_DIR: &str = "/etc/cni/net.d";
const PLUGIN_DIR: &str = "/opt/cni/bin";

/// What the environment says.
pub(crate) struct Settings {
    pub(crate) runtime: Runtime,
    args: Vec<(String, String)>,
    capability_args: CapabilityArgs,
    ifname: String,
}

impl Settings {
    /// Reads the environment, and the configuration of `network` from the directory it names.
    ///
    /// # Errors
    /// Code 4 for a bad variable; code 5, 6 or 7 for the configuration.
    pub(crate) fn load(network: &str) -> Result<(Self, NetworkList)> {
        let list = dir::find_network(&net_dir()?, network)?;
        let settings = Self {
            runtime: Runtime { cni_path: cni_path()?, cache: Cache::default() },
            args: variable("CNI_ARGS")?.map_or_else(|| Ok(Vec::new()), |text| cni_args(&text))?,
            capability_args: variable("CAP_ARGS")?
                .map_or_else(|| Ok(CapabilityArgs::new()), |text| cap_args(&text))?,
            ifname: text("CNI_IFNAME")?.unwrap_or_else(|| "eth0".into()),
        };
        Ok((settings, list))
    }

    /// What is wrong with the capability arguments, in words: those that no plugin of the network would get.
    fn unused_capability_args(&self, list: &NetworkList) -> Vec<String> {
        let declared = list.capabilities();
        let unused = self.capability_args.keys().filter(|name| !declared.contains(&name.as_str()));
        let say = |name: &String| {
            let meant =
                nearest(name, declared.iter().copied()).map(|meant| format!("did you mean {meant:?}?"));
            let all = match declared.is_empty() {
                true => "none is declared".to_owned(),
                false => format!("declared are {}", declared.join(", ")),
            };
            let hint = meant.unwrap_or(all);
            format!(
                "CAP_ARGS: no plugin of network {} declares the capability {}: {hint}",
                list.name,
                excerpt(name)
            )
        };
        unused.map(say).collect()
    }

    /// The attachment to the network that the command line asks for. Capability arguments that no plugin would get are
    /// warned about on stderr.
    ///
    /// # Errors
    /// Code 4 for a bad interface name, code 5 when the working directory is gone.
    pub(crate) fn attachment(&self, target: &Target, list: &NetworkList) -> Result<RuntimeConf> {
        for unused in self.unused_capability_args(list) {
            cni_skel::tell(format_args!("warning: {unused}"));
        }
        let netns = absolute(&target.netns)?;
        Ok(RuntimeConf {
            container_id: container_id(&netns.to_string_lossy())?,
            netns: Some(netns),
            ifname: match &target.ifname {
                Some(name) => IfName::new(name)?,
                None => IfName::new(&self.ifname).map_err(|e| e.doing("CNI_IFNAME"))?,
            },
            args: self.args.clone(),
            capability_args: self.capability_args.clone(),
        })
    }
}

/// The path from the root, without `.`, `..` and doubled slashes: by text alone, as Go's `filepath.Abs` does it, since
/// the container id is a hash of this text.
fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path)
        .map_err(|e| Error::io(format!("cannot resolve {}", excerpt(&path.to_string_lossy())), &e))?;
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Ok(clean)
}

/// `CNI_PATH`, or where distributions put plugins.
///
/// # Errors
/// Code 4 when it is not UTF-8.
pub(crate) fn cni_path() -> Result<Vec<PathBuf>> {
    let path = variable("CNI_PATH")?.unwrap_or_else(|| PLUGIN_DIR.into());
    Ok(std::env::split_paths(&path).collect())
}

/// The directory of the network configurations.
///
/// # Errors
/// Code 4 when the variable is not UTF-8.
pub(crate) fn net_dir() -> Result<PathBuf> {
    Ok(variable("NETCONFPATH")?.map_or_else(|| NET_DIR.into(), PathBuf::from))
}

/// The container id for a namespace: the same namespace always gets the same one, so `del` finds what `add` made.
///
/// # Errors
/// None in practice: the text is always a valid id.
pub(crate) fn container_id(netns: &str) -> Result<ContainerId> {
    ContainerId::new(&format!("cnitool-{}", hex(netns, 20)))
}

/// A variable's text; empty counts as unset.
fn variable(name: &str) -> Result<Option<String>> {
    Ok(text(name)?.filter(|value| !value.is_empty()))
}

/// A variable's text, be it empty.
fn text(name: &str) -> Result<Option<String>> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    value.into_string().map(Some).map_err(|value| {
        Error::new(Code::ENVIRONMENT, format!("{name} is not UTF-8"))
            .because(excerpt(&value.to_string_lossy()))
    })
}

fn cni_args(text: &str) -> Result<Vec<(String, String)>> {
    let pairs = text.split(';').map(|pair| {
        let parts: Vec<&str> = pair.split('=').collect();
        match parts[..] {
            [key, value] if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(Error::new(Code::ENVIRONMENT, format!("invalid CNI_ARGS pair {}", excerpt(pair)))
                .because("it must be KEY=VALUE, pairs separated by ';'")),
        }
    });
    pairs.collect()
}

/// An object, or null for none. Whole numbers reach the plugins as such.
fn cap_args(text: &str) -> Result<CapabilityArgs> {
    let bad = |why: String| {
        Error::new(Code::ENVIRONMENT, "CAP_ARGS is no JSON object").because(excerpt(text)).because(why)
    };
    let mut json = Json::parse(text.as_bytes()).map_err(|e| bad(e.details))?;
    json.whole_numbers();
    match json {
        Json::Null => Ok(CapabilityArgs::new()),
        Json::Object(members) => Ok(members.into_iter().collect()),
        _ => Err(bad("write {\"capability\": value, …}".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_id_is_the_go_tools() {
        // printf /var/run/netns/testing | sha512sum | cut -c1-20
        let id = container_id("/var/run/netns/testing").unwrap();
        assert_eq!(id.as_str(), "cnitool-77383ca0a0715733ca6f");
    }

    #[test]
    fn paths_are_cleaned_by_text() {
        let clean = |path: &str| absolute(Path::new(path)).unwrap().to_str().unwrap().to_owned();
        assert_eq!(clean("/var//run/./x/../netns/a/"), "/var/run/netns/a");
        assert_eq!(clean("/../../a"), "/a");
        assert!(clean("a").starts_with('/') && clean("a").ends_with("/a"));
    }

    #[test]
    fn cni_args_are_pairs() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(cni_args("IP=10.1.2.3;K=v").unwrap(), [pair("IP", "10.1.2.3"), pair("K", "v")]);
        for bad in ["IP", "IP=", "=1", "IP=1;", "IP=1=2", ";"] {
            assert_eq!(cni_args(bad).unwrap_err().code, Code::ENVIRONMENT, "{bad}");
        }
    }

    #[test]
    fn capability_args_are_an_object() {
        let args = cap_args(r#"{"mac":"02:00:00:00:00:01","bandwidth":{"ingressRate":1e+06}}"#).unwrap();
        assert_eq!(args["mac"], Json::String("02:00:00:00:00:01".into()));
        assert_eq!(args["bandwidth"].compact(), r#"{"ingressRate":1000000}"#);
        assert!(cap_args("null").unwrap().is_empty());
        for bad in ["[]", "{", "1"] {
            assert_eq!(cap_args(bad).unwrap_err().code, Code::ENVIRONMENT, "{bad}");
        }
    }
}
