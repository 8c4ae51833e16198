//! The rules that a way goes through: the plugins' own of one pod, and those of others around them.

use std::ops::Range;
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

use super::multiply;
use super::site::{PORT, Site, Way, address};
use crate::chain::{Chain, Done};
use crate::options::Suite;
use crate::parallel::at_a_time;
use crate::place::Place;
use crate::scenario::Scenario;

/// The pod's number, and its host port.
const POD: usize = 49_999;
const HOST_PORT: u16 = 59_999;
/// Mappings that another pod has, where a plugin makes them.
const BULK: usize = 100;

/// The way through portmap, masquerade or the firewall, where there are `count` of what it makes. A suite that does not
/// have the packet filter does it with iptables.
pub(super) fn way(what: &str, backend: &str, count: usize, suite: &Suite) -> Result<Way, String> {
    let site = Site::new();
    site.host.go();
    let alone = Scenario::named("ptp");
    let own = |backend: &str| match what {
        "masquerade" => Scenario::named(&format!("ptp-masq-{backend}")),
        _ => Scenario::named(&format!("{what}-{backend}")),
    };
    let (wanted, known) = (own(backend), own("iptables"));
    let behind = match what {
        "masquerade" => Value::Null,
        _ => result(chain(&alone, suite, &site).add(POD, &site.pod))?,
    };
    let rules =
        |scenario| Rules { chain: chain(scenario, suite, &site), behind: behind.clone(), site: &site };
    let (rules, pod) = match rules(&wanted).add() {
        Ok(pod) => (rules(&wanted), pod),
        Err(_) => (rules(&known), rules(&known).add()?),
    };
    let others = rules.surround(pod.clone(), count - 1)?;
    let pod = ip(&pod);
    Ok(match what {
        "masquerade" => site.out(others),
        "portmap" => site.into_pod(Site::host_port(HOST_PORT)),
        _ => site.into_pod(address(&pod, PORT)),
    })
}

fn chain<'a>(scenario: &'a Scenario, suite: &'a Suite, site: &Site) -> Chain<'a> {
    let mut chain = Chain::new(scenario, suite);
    chain.network.clone_from(&site.name);
    chain
}

/// What makes the rules: the chain, and for one that goes on behind `ptp` the result of that.
struct Rules<'a> {
    chain: Chain<'a>,
    behind: Value,
    site: &'a Site,
}

impl Rules<'_> {
    /// The pod's own.
    fn add(&self) -> Result<Value, String> {
        result(self.chain.add_behind(&self.behind, POD, &self.site.pod))
    }

    /// The rules of so many others, half of them before the pod's own. What has to stay is returned.
    fn surround(&self, pod: Value, count: usize) -> Result<Vec<Place>, String> {
        if is_iptables() {
            multiply::rules(count, &ip(&pod));
            return Ok(Vec::new());
        }
        self.chain.del(POD, &self.site.pod, &pod);
        let mut others = self.fill(0..count / 2)?;
        self.add()?;
        others.extend(self.fill(count / 2..count)?);
        Ok(others)
    }

    /// Those of the others with these numbers: of pods that are there, or of such as there could be.
    fn fill(&self, numbers: Range<usize>) -> Result<Vec<Place>, String> {
        if self.behind.is_null() { self.attach(numbers) } else { self.imagine(numbers) }
    }

    fn attach(&self, numbers: Range<usize>) -> Result<Vec<Place>, String> {
        let place = |n| Place::new(&format!("{}-{n}", self.site.name));
        let pods: Vec<_> = numbers.clone().map(place).collect();
        let failed = Mutex::new(None);
        at_a_time(2, pods.len(), &self.site.host, &|n| {
            if let Some(error) = self.chain.add(numbers.start + n, &pods[n]).error {
                *failed.lock().unwrap() = Some(error);
            }
        });
        failed.into_inner().unwrap().map_or(Ok(pods), Err)
    }

    /// As many mappings as there are numbers, in bulk; anything else of a pod each.
    fn imagine(&self, numbers: Range<usize>) -> Result<Vec<Place>, String> {
        let mut chain = chain(self.chain.scenario, self.chain.suite, self.site);
        let step = if chain.scenario.name.starts_with("portmap") { BULK } else { 1 };
        for first in numbers.clone().step_by(step) {
            chain.ports = first..(first + step).min(numbers.end);
            let other = self.behind.to_string().replace(&ip(&self.behind), &multiply::ip(first));
            let other = serde_json::from_str(&other).unwrap();
            result(chain.add_behind(&other, first, &self.site.pod))?;
        }
        Ok(Vec::new())
    }
}

fn result(done: Done) -> Result<Value, String> {
    done.error.map_or(Ok(done.result), Err)
}

/// The pod's address.
fn ip(result: &Value) -> String {
    let text = result["ips"][0]["address"].as_str().unwrap();
    text.split('/').next().unwrap().to_owned()
}

/// Whether the plugins' rules on this host are iptables'.
fn is_iptables() -> bool {
    let saved = Command::new("iptables-save").output().unwrap();
    String::from_utf8_lossy(&saved.stdout).contains("CNI-")
}
