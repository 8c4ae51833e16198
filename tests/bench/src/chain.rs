//! A chain of one suite: ADD in order with each result in the next configuration, DEL backwards.

use serde_json::{Value, json};

use crate::call::{Cost, execute};
use crate::options::Suite;
use crate::place::Place;
use crate::scenario::Scenario;

/// A scenario by a suite's plugins; the network has the name of both, and so each its own addresses.
pub(crate) struct Chain<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) suite: &'a Suite,
}

/// What a verb over the whole chain cost.
pub(crate) struct Done {
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

    pub(crate) fn memory(&self) -> i64 {
        self.each.iter().map(|(_, cost)| cost.memory).max().unwrap_or(0)
    }
}

impl Chain<'_> {
    pub(crate) fn add(&self, pod: usize, place: &Place) -> Done {
        self.each("ADD", self.scenario.plugins.iter(), pod, place, &Value::Null)
    }

    pub(crate) fn del(&self, pod: usize, place: &Place, result: &Value) -> Done {
        self.each("DEL", self.scenario.plugins.iter().rev(), pod, place, result)
    }

    fn each<'p>(
        &self,
        verb: &str,
        plugins: impl Iterator<Item = &'p Value>,
        pod: usize,
        place: &Place,
        result: &Value,
    ) -> Done {
        let mut done = Done { each: Vec::new(), result: result.clone(), error: None };
        for plugin in plugins {
            let kind = plugin["type"].as_str().unwrap();
            let conf = self.conf(plugin, &done.result, pod);
            let directory = &self.suite.directory;
            let id = format!("bench{pod:059}");
            let env = [
                ("CNI_COMMAND", verb),
                ("CNI_PATH", directory),
                ("CNI_CONTAINERID", &id),
                ("CNI_NETNS", place.path()),
                ("CNI_IFNAME", self.scenario.ifname()),
                ("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod"),
            ];
            let cost = execute(&format!("{directory}/{kind}"), &env, &conf);
            if !cost.succeeded {
                let said = String::from_utf8_lossy(&cost.said);
                done.error =
                    Some(format!("{verb} {kind}: {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
                if verb == "ADD" {
                    return done;
                }
            } else if verb == "ADD" {
                done.result = serde_json::from_slice(&cost.said).unwrap_or_default();
            }
            done.each.push((kind.to_owned(), cost));
        }
        done
    }

    fn conf(&self, plugin: &Value, result: &Value, pod: usize) -> Vec<u8> {
        let mut conf = plugin.clone();
        conf["name"] = json!(format!("{}-{}", self.scenario.name, self.suite.name));
        conf["cniVersion"] = json!("1.0.0");
        match plugin["type"].as_str().unwrap() {
            "portmap" => conf["runtimeConfig"] = json!({ "portMappings": [mapping(pod)] }),
            "bandwidth" => {
                conf["runtimeConfig"] = json!({ "bandwidth": { "ingressRate": 10_000_000, "ingressBurst": 1_000_000,
                    "egressRate": 10_000_000, "egressBurst": 1_000_000 } });
            }
            _ => {}
        }
        if !result.is_null() {
            conf["prevResult"] = result.clone();
        }
        serde_json::to_vec(&conf).unwrap()
    }
}

/// The pod's own.
fn mapping(pod: usize) -> Value {
    json!({ "hostPort": 10_000 + pod % 50_000, "containerPort": 80, "protocol": "tcp" })
}
