//! What one plugin gets on its stdin: its object from the list with what the runtime adds (spec 1.1.0, section 3
//! "Deriving execution configuration from plugin configuration"). `capabilities` stays in, as libcni leaves it.

use cni_types::{AttachmentId, CniResult, Json, Result, SpecVersion};
use serde_json::{Map, Value, json};

use crate::conflist::{NetworkList, PluginConf};

/// The configuration for ADD, CHECK and DEL.
pub fn attachment(
    list: &NetworkList,
    plugin: &PluginConf,
    prev_result: Option<&Value>,
    capability_args: &Map<String, Value>,
) -> Vec<u8> {
    let mut conf = base(list, plugin);
    if let Some(result) = prev_result {
        inject(&mut conf, "prevResult", result.clone());
    }
    let wanted = capability_args.iter().filter(|(capability, _)| plugin.has_capability(capability));
    let runtime_config: Map<String, Value> = wanted.map(|(k, v)| (k.clone(), v.clone())).collect();
    if !runtime_config.is_empty() {
        inject(&mut conf, "runtimeConfig", Value::Object(runtime_config));
    }
    bytes(conf)
}

/// The configuration for GC, with the attachments to keep. The list stands under the specification's key and under the
/// one that libcni 1.1 used by mistake.
pub fn gc(list: &NetworkList, plugin: &PluginConf, valid: &[AttachmentId]) -> Vec<u8> {
    let valid: Vec<Value> = valid
        .iter()
        .map(|id| json!({ "containerID": id.container_id.as_str(), "ifname": id.ifname.as_str() }))
        .collect();
    let mut conf = base(list, plugin);
    for key in ["cni.dev/attachments", "cni.dev/valid-attachments"] {
        inject(&mut conf, key, Value::Array(valid.clone()));
    }
    bytes(conf)
}

/// The configuration for STATUS.
pub fn status(list: &NetworkList, plugin: &PluginConf) -> Vec<u8> {
    bytes(base(list, plugin))
}

/// A result in the form of `version`, as a document to put into a request or into the cache.
///
/// # Errors
/// Code 2 when the version cannot express the result.
pub fn result_value(result: &CniResult, version: SpecVersion) -> Result<Value> {
    let text = result.to_json(version)?;
    serde_json::from_str(&text)
        .map_err(|e| cni_types::Error::decode("cannot read back the result").because(e))
}

/// Reads a result of any version; without one of its own, it is of `version`.
///
/// # Errors
/// Code 1 for an unknown version, code 6 when it does not decode.
pub fn read_result(json: &Json, version: SpecVersion) -> Result<CniResult> {
    let own = json.get_str("cniVersion").filter(|own| !own.is_empty());
    // An unknown version is left for `from_json` to refuse.
    CniResult::from_json(json, own.and_then(SpecVersion::find).unwrap_or(version))
}

fn base(list: &NetworkList, plugin: &PluginConf) -> Map<String, Value> {
    let mut conf = plugin.object.clone();
    inject(&mut conf, "name", list.name.as_str().into());
    inject(&mut conf, "cniVersion", list.version.as_str().into());
    conf
}

/// Sets a key; one that differs in case only would reach the plugin as the same key, so it goes.
fn inject(conf: &mut Map<String, Value>, key: &str, value: Value) {
    conf.retain(|k, _| !k.eq_ignore_ascii_case(key));
    conf.insert(key.to_owned(), value);
}

fn bytes(conf: Map<String, Value>) -> Vec<u8> {
    Value::Object(conf).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use cni_types::{ContainerId, IfName};

    use super::*;

    fn list() -> NetworkList {
        NetworkList::parse(
            br#"{"cniVersion":"1.1.0","name":"n","plugins":[
                {"type":"t","z":{"b":1,"a":2},"Name":"other","cniVersion":"0.3.1",
                 "capabilities":{"mac":true,"ips":false}}]}"#,
        )
        .unwrap()
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_only_declared_capabilities_pass() {
        let list = list();
        let args = serde_json::from_str(r#"{"mac":"m","ips":["1"],"x":1}"#).unwrap();
        let conf = attachment(&list, &list.plugins[0], Some(&json!({"ips":[]})), &args);
        assert_eq!(
            text(&conf),
            r#"{"capabilities":{"ips":false,"mac":true},"cniVersion":"1.1.0","name":"n","prevResult":{"ips":[]},"runtimeConfig":{"mac":"m"},"type":"t","z":{"a":2,"b":1}}"#
        );
        let bare = attachment(&list, &list.plugins[0], None, &Map::new());
        assert!(!text(&bare).contains("prevResult") && !text(&bare).contains("runtimeConfig"));
        assert_eq!(status(&list, &list.plugins[0]), bare);
    }

    #[test]
    fn gc_names_what_to_keep_under_both_keys() {
        let list = list();
        let id = AttachmentId {
            network: list.name.clone(),
            container_id: ContainerId::new("c").unwrap(),
            ifname: IfName::new("eth0").unwrap(),
        };
        let conf: Value = serde_json::from_slice(&gc(&list, &list.plugins[0], &[id])).unwrap();
        for key in ["cni.dev/attachments", "cni.dev/valid-attachments"] {
            assert_eq!(conf[key], json!([{"containerID":"c","ifname":"eth0"}]));
        }
        let none: Value = serde_json::from_slice(&gc(&list, &list.plugins[0], &[])).unwrap();
        assert_eq!(none["cni.dev/valid-attachments"], json!([]));
    }

    #[test]
    fn a_result_of_another_version_is_converted() {
        let old = br#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.2.3/24"},"dns":{}}"#;
        let result = read_result(&Json::parse(old).unwrap(), SpecVersion::V1_1_0).unwrap();
        let value = result_value(&result, SpecVersion::V1_1_0).unwrap();
        assert_eq!(value, json!({"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}));
        let unknown = Json::parse(br#"{"cniVersion":"9.0.0"}"#).unwrap();
        assert_eq!(read_result(&unknown, SpecVersion::V1_1_0).unwrap_err().code.0, 1);
    }
}
