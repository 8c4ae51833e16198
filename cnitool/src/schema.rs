//! `cnitool schema`: the JSON Schema (2020-12) of network configurations, out of the plugins' declarations. It says
//! what one object may hold; what several say together is for `validate`.

mod form;
mod pattern;

use cni_types::SpecVersion;
use serde_json::{Map, Value, json};

use crate::known::{self, DELEGATE, IPAM, LIST};
use form::{nullable, object};

/// What it is found by.
const ID: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a `.conflist` file.
pub(crate) fn print() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

fn schema() -> Value {
    let versions: Vec<_> = SpecVersion::ALL.iter().map(|version| version.as_str()).collect();
    let mut properties = Map::new();
    for (name, text) in LIST {
        let form = match name {
            "cniVersion" => json!({"enum": versions}),
            "cniVersions" => json!({"type": "array", "items": {"type": "string", "examples": versions}}),
            "name" => json!({"type": "string", "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$"}),
            _ => json!({"enum": [false, true, "false", "true"], "default": false}),
        };
        properties.insert(name.to_owned(), described(form, text));
    }
    let plugins = json!({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/plugin"}});
    properties.insert("plugins".into(), described(plugins, "the plugins in ADD's order"));
    json!({
        "$schema": ID,
        "title": "CNI network configuration",
        "description": format!("A .conflist file for the plugins of cni-plugins {}.", env!("CARGO_PKG_VERSION")),
        "type": "object",
        "required": ["cniVersion", "name", "plugins"],
        "properties": properties,
        "$defs": definitions(),
    })
}

fn described(mut form: Value, text: &str) -> Value {
    form["description"] = text.trim().into();
    form
}

fn definitions() -> Map<String, Value> {
    let plugins = known::plugins();
    let mut all = Map::new();
    all.insert("plugin".into(), plugin(&plugins));
    all.insert("others".into(), object(&known::of_others(), true));
    all.insert("ipam".into(), ipam(None, &plugins));
    all.insert("ipam-of-flannel".into(), ipam(Some(DELEGATE.1), &plugins));
    for name in plugins.iter().filter_map(|name| known::declared(name)) {
        all.insert(name.plugin.into(), of_plugin(name));
        if !is_delegate(name.plugin) {
            continue;
        }
        let mut optional = known::of_plugin(name, None);
        optional.iter_mut().for_each(|known| known.is_required = false);
        all.insert(format!("delegate-{}", name.plugin), object(&optional, false));
    }
    for name in IPAM.into_iter().filter_map(known::declared) {
        let known = known::of_plugin(name, None);
        let inside = known.iter().find(|known| known.key.name == "ipam");
        let keys = inside.map(|known| form::keys(&known.shape)).unwrap_or_default();
        all.insert(format!("ipam-{}", name.plugin), object(&keys, false));
        let beside: Vec<_> = known.into_iter().filter(|known| known.key.name != "ipam").collect();
        all.insert(format!("beside-{}", name.plugin), object(&beside, true));
    }
    all
}

/// Any plugin: with a name of ours it has our keys.
fn plugin(ours: &[&str]) -> Value {
    let is = |name: &str, then: String| json!({"if": {"properties": {"type": {"const": name}}}, "then": {"$ref": then}});
    let mut all: Vec<_> = ours.iter().map(|name| is(name, format!("#/$defs/{name}"))).collect();
    all.push(
        json!({"if": {"properties": {"type": {"not": {"enum": ours}}}}, "then": {"$ref": "#/$defs/others"}}),
    );
    json!({
        "type": "object",
        "required": ["type"],
        "properties": {"type": {
            "description": "the plugin, looked for in CNI_PATH only",
            "type": "string", "pattern": "^[^/]+$", "examples": ours, "not": {"enum": IPAM},
        }},
        "allOf": all,
    })
}

/// The keys of one plugin; its IPAM plugin brings more.
fn of_plugin(plugin: &'static cni_types::PluginKeys) -> Value {
    let mut schema = object(&known::of_plugin(plugin, None), false);
    let is_flannel = plugin.plugin == "flannel";
    let reference = if is_flannel { "#/$defs/ipam-of-flannel" } else { "#/$defs/ipam" };
    schema["properties"]["ipam"] = json!({"$ref": reference});
    let mut more: Vec<_> = schema["allOf"].as_array().cloned().unwrap_or_default();
    let is_required = schema["required"].as_array().is_some_and(|keys| keys.contains(&"ipam".into()));
    if is_required {
        more.push(json!({"properties": {"ipam": {"type": "object", "minProperties": 1}}}));
    }
    for ipam in IPAM {
        let named = json!({"properties": {"ipam": {"properties": {"type": {"const": ipam}},
            "type": "object", "required": ["type"]}}, "required": ["ipam"]});
        more.push(json!({"if": named, "then": {"$ref": format!("#/$defs/beside-{ipam}")}}));
    }
    if is_flannel {
        schema["properties"]["delegate"] = delegate();
    }
    schema["allOf"] = more.into();
    schema
}

/// Whether flannel may hand the work to the plugin.
fn is_delegate(plugin: &str) -> bool {
    known::makes_interface(plugin) && plugin != "flannel"
}

/// What flannel hands on: the keys of a plugin, but for two that it writes itself.
fn delegate() -> Value {
    let mut all = vec![json!({
        "if": {"not": {"required": ["type"]}},
        "then": {"$ref": format!("#/$defs/delegate-{}", DELEGATE.0)},
    })];
    all.extend(known::plugins().iter().filter(|name| is_delegate(name)).map(|name| {
        json!({"if": {"properties": {"type": {"const": name}}, "required": ["type"]},
               "then": {"$ref": format!("#/$defs/delegate-{name}")}})
    }));
    json!({
        "description": "the delegate's configuration, any keys but name and ipam",
        "type": nullable("object"),
        "properties": {"name": false, "ipam": false},
        "allOf": all,
    })
}

/// The object `ipam`: of a plugin of others only its name is known.
fn ipam(default: Option<&str>, plugins: &[&str]) -> Value {
    let mut all: Vec<Value> = IPAM
        .into_iter()
        .map(|name| {
            json!({"if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                   "then": {"$ref": format!("#/$defs/ipam-{name}")}})
        })
        .collect();
    all.push(match default {
        Some(default) => json!({"if": {"not": {"required": ["type"]}}, "then": {"$ref": format!("#/$defs/ipam-{default}")}}),
        None => json!({"anyOf": [{"required": ["type"]}, {"maxProperties": 0}]}),
    });
    json!({
        "description": "the IPAM plugin, with its keys",
        "type": nullable("object"),
        "properties": {"type": {
            "description": "the IPAM plugin, looked for in CNI_PATH only",
            "type": nullable("string"), "examples": IPAM, "not": {"enum": plugins},
        }},
        "allOf": all,
    })
}
