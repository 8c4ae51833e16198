//! A chain of one suite: ADD in order with each result in the next configuration, DEL backwards.

use std::ops::Range;

use serde_json::{Value, json};

use crate::call::{Cost, Execute, PATH, execute};
use crate::options::Suite;
use crate::place::Place;
use crate::scenario::Scenario;

/// A scenario by a suite's plugins.
pub(crate) struct Chain<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) suite: &'a Suite,
    /// The network's name.
    pub(crate) network: String,
    /// The specification's version that the configuration is in.
    pub(crate) version: &'static str,
    /// How a plugin is run.
    pub(crate) execute: Execute,
    /// Where the plugins look for tools.
    pub(crate) path: String,
    /// The host ports from 10 000 on that a pod has; without any the one of its number.
    pub(crate) ports: Range<usize>,
}

/// What a verb over the whole chain cost.
pub(crate) struct Done {
    /// By plugin and backend: `portmap nftables`.
    pub(crate) each: Vec<(String, Cost)>,
    /// The result of the last plugin.
    pub(crate) result: Value,
    /// Why it failed.
    pub(crate) error: Option<String>,
}

impl Done {
    pub(crate) fn wall(&self) -> f64 {
        self.each.iter().map(|(_, cost)| cost.wall).sum()
    }

    pub(crate) fn cpu(&self) -> f64 {
        self.each.iter().map(|(_, cost)| cost.cpu).sum()
    }
}

impl<'a> Chain<'a> {
    /// The network has the name of both, and so each its own addresses.
    pub(crate) fn new(scenario: &'a Scenario, suite: &'a Suite) -> Self {
        let network = format!("{}-{}", scenario.name, suite.name);
        Self { scenario, suite, network, version: "1.0.0", execute, path: PATH.to_owned(), ports: 0..0 }
    }

    pub(crate) fn add(&self, pod: usize, place: &Place) -> Done {
        self.add_behind(&Value::Null, pod, place)
    }

    /// ADD of a chain that goes on behind plugins that had this result.
    pub(crate) fn add_behind(&self, result: &Value, pod: usize, place: &Place) -> Done {
        self.each("ADD", Some((pod, place)), &json!({ "prevResult": result }))
    }

    pub(crate) fn check(&self, pod: usize, place: &Place, result: &Value) -> Done {
        self.each("CHECK", Some((pod, place)), &json!({ "prevResult": result }))
    }

    pub(crate) fn del(&self, pod: usize, place: &Place, result: &Value) -> Done {
        self.each("DEL", Some((pod, place)), &json!({ "prevResult": result }))
    }

    pub(crate) fn status(&self) -> Done {
        self.each("STATUS", None, &json!({}))
    }

    /// GC of all but these containers.
    pub(crate) fn gc(&self, valid: impl Iterator<Item = String>) -> Done {
        let ifname = self.scenario.ifname();
        let valid: Vec<_> = valid.map(|id| json!({ "containerID": id, "ifname": ifname })).collect();
        self.each("GC", None, &json!({ "cni.dev/valid-attachments": valid }))
    }

    fn each(&self, verb: &str, pod: Option<(usize, &Place)>, beside: &Value) -> Done {
        let mut beside = beside.clone();
        let mut done = Done { each: Vec::new(), result: beside["prevResult"].clone(), error: None };
        let mut plugins: Vec<&Value> = self.scenario.plugins.iter().collect();
        if verb == "DEL" {
            plugins.reverse();
        }
        for plugin in plugins {
            let cost = self.execute(verb, plugin, pod, &beside);
            if !cost.succeeded {
                let said = String::from_utf8_lossy(&cost.said);
                let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
                done.error = Some(format!("{verb} {}: {said}", label(plugin)));
                if verb == "ADD" {
                    return done;
                }
            } else if verb == "ADD" {
                done.result = serde_json::from_slice(&cost.said).unwrap_or_default();
                beside["prevResult"] = done.result.clone();
            }
            done.each.push((label(plugin), cost));
        }
        done
    }

    fn execute(&self, verb: &str, plugin: &Value, pod: Option<(usize, &Place)>, beside: &Value) -> Cost {
        let directory = &self.suite.directory;
        let mut env = vec![("PATH", self.path.as_str()), ("CNI_COMMAND", verb), ("CNI_PATH", directory)];
        let id = pod.map(|(pod, _)| id(pod)).unwrap_or_default();
        if let Some((_, place)) = pod {
            env.extend([
                ("CNI_CONTAINERID", id.as_str()),
                ("CNI_NETNS", place.path()),
                ("CNI_IFNAME", self.scenario.ifname()),
                ("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod"),
            ]);
        }
        let conf = self.conf(plugin, pod.map_or(0, |(pod, _)| pod), beside);
        (self.execute)(&format!("{directory}/{}", plugin["type"].as_str().unwrap()), &env, &conf)
    }

    fn conf(&self, plugin: &Value, pod: usize, beside: &Value) -> Vec<u8> {
        let mut conf = plugin.clone();
        conf["name"] = json!(self.network);
        conf["cniVersion"] = json!(self.version);
        match plugin["type"].as_str().unwrap() {
            "portmap" => {
                let ports = if self.ports.is_empty() { pod..pod + 1 } else { self.ports.clone() };
                let mapping =
                    |n| json!({ "hostPort": 10_000 + n % 50_000, "containerPort": 80, "protocol": "tcp" });
                let mappings: Vec<_> = ports.map(mapping).collect();
                conf["runtimeConfig"] = json!({ "portMappings": mappings });
            }
            "bandwidth" => {
                conf["runtimeConfig"] = json!({ "bandwidth": { "ingressRate": 10_000_000, "ingressBurst": 1_000_000,
                    "egressRate": 10_000_000, "egressBurst": 1_000_000 } });
            }
            _ => {}
        }
        let beside = beside.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        conf.as_object_mut().unwrap().extend(beside.map(|(key, value)| (key.clone(), value.clone())));
        serde_json::to_vec(&conf).unwrap()
    }
}

/// The container id of a pod.
pub(crate) fn id(pod: usize) -> String {
    format!("bench{pod:059}")
}

/// The plugin, and the packet filter it uses.
fn label(plugin: &Value) -> String {
    let text = |key: &str| plugin[key].as_str();
    let filters = plugin["ipMasq"] == true || plugin["type"] == "portmap";
    let backend = text("backend").or(text("ipMasqBackend")).or(filters.then_some("iptables"));
    [text("type"), backend].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
