//! What one plugin gets on its stdin: its object from the list with what the runtime adds (spec 1.1.0, section 3
//! "Deriving execution configuration from plugin configuration"). `capabilities` stays in, as libcni leaves it.

use cni_types::{AttachmentId, CniResult, Json, Result, SpecVersion};

use crate::conflist::{NetworkList, PluginConf};
use crate::invoke::CapabilityArgs;

/// The configuration for ADD, CHECK and DEL.
pub fn attachment(
    list: &NetworkList,
    plugin: &PluginConf,
    prev_result: Option<&Json>,
    capability_args: &CapabilityArgs,
) -> Vec<u8> {
    let mut conf = base(list, plugin);
    if let Some(result) = prev_result {
        inject(&mut conf, "prevResult", result.clone());
    }
    let wanted = capability_args.iter().filter(|(capability, _)| plugin.has_capability(capability));
    let runtime_config: Vec<_> = wanted.map(|(k, v)| (k.clone(), v.clone())).collect();
    if !runtime_config.is_empty() {
        inject(&mut conf, "runtimeConfig", Json::Object(runtime_config));
    }
    bytes(conf)
}

/// The configuration for GC, with the attachments to keep. The list stands under the specification's key and under the
/// one that libcni 1.1 used by mistake.
pub fn gc(list: &NetworkList, plugin: &PluginConf, valid: &[AttachmentId]) -> Vec<u8> {
    let entry = |id: &AttachmentId| {
        let names = [("containerID", id.container_id.as_str()), ("ifname", id.ifname.as_str())];
        Json::Object(names.map(|(key, name)| (key.to_owned(), Json::String(name.to_owned()))).into())
    };
    let mut conf = base(list, plugin);
    for key in ["cni.dev/attachments", "cni.dev/valid-attachments"] {
        inject(&mut conf, key, Json::Array(valid.iter().map(entry).collect()));
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
pub fn result_document(result: &CniResult, version: SpecVersion) -> Result<Json> {
    Json::parse(result.to_json(version)?.as_bytes())
}

type Members = Vec<(String, Json)>;

fn base(list: &NetworkList, plugin: &PluginConf) -> Members {
    let Json::Object(mut conf) = plugin.object.clone() else { return Members::new() };
    inject(&mut conf, "name", Json::String(list.name.to_string()));
    inject(&mut conf, "cniVersion", Json::String(list.version.clone()));
    conf
}

/// Sets a key; one that differs in case only would reach the plugin as the same key, so it goes.
fn inject(conf: &mut Members, key: &str, value: Json) {
    conf.retain(|(k, _)| !k.eq_ignore_ascii_case(key));
    conf.push((key.to_owned(), value));
}

fn bytes(conf: Members) -> Vec<u8> {
    let mut conf = Json::Object(conf);
    conf.sort_keys();
    conf.compact().into_bytes()
}

#[cfg(test)]
mod tests {
    use cni_types::{ContainerId, IfName};
    use serde_json::{Value, json};

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
        let args = Json::parse(br#"{"mac":"m","ips":["1"],"x":1}"#).unwrap().decode().unwrap();
        let prev_result = Json::parse(br#"{"ips":[]}"#).unwrap();
        let conf = attachment(&list, &list.plugins[0], Some(&prev_result), &args);
        assert_eq!(
            text(&conf),
            r#"{"capabilities":{"ips":false,"mac":true},"cniVersion":"1.1.0","name":"n","prevResult":{"ips":[]},"runtimeConfig":{"mac":"m"},"type":"t","z":{"a":2,"b":1}}"#
        );
        let bare = attachment(&list, &list.plugins[0], None, &CapabilityArgs::new());
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
        let result = CniResult::from_json(&Json::parse(old).unwrap(), SpecVersion::V1_1_0).unwrap();
        let mut document = result_document(&result, SpecVersion::V1_1_0).unwrap();
        document.sort_keys();
        assert_eq!(document.compact(), r#"{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}"#);
        let unknown = Json::parse(br#"{"cniVersion":"9.0.0"}"#).unwrap();
        assert_eq!(CniResult::from_json(&unknown, SpecVersion::V1_1_0).unwrap_err().code.0, 1);
    }
}
