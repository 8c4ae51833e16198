//! What CHECK misses among the elements.

use cni_filter::nft::ByPrefix;
use cni_types::AttachmentId;

use super::element::{HeldElement, Place, describe};
use super::index::Index;
use super::names::{SOURCES, TABLE};
use super::plan::Plan;
use super::port;

/// Names what the plan has and the kernel has not.
pub(super) fn of_plan(missing: &mut Vec<String>, id: &AttachmentId, plan: &Plan, held: &[HeldElement]) {
    let owner = id.tag_prefix();
    let index = Index::new(held);
    for (ports, target) in &plan.ports {
        let map = ports.map(plan.family(), plan.class_name(), 1);
        let same = || index.overlapping(ports).filter(|(taken, _)| taken == &ports).map(|(_, held)| held);
        let found = same().find(|held| held.owner() == owner).or_else(|| same().next());
        let name = found.map_or_else(|| map.name(), |held| held.place.set());
        match found {
            None => missing.push(format!("map {TABLE} {name} has no element for {}", describe(ports))),
            Some(held) if held.owner() != owner => missing.push(format!(
                "the element for {} in map {TABLE} {name} belongs to another attachment ({})",
                describe(ports),
                held.comment
            )),
            Some(held) if held.value != port::value(*target, map.ranges) => {
                let there = port::read_value(&held.value, map.family);
                let there = there.map(|to| to.to_string()).unwrap_or_default();
                missing.push(format!(
                    "map {TABLE} {name} sends {} to {there}, not to {target}",
                    describe(ports)
                ));
            }
            Some(_) => {}
        }
    }
    for network in &plan.sources {
        let (set, key) = (ByPrefix::of(SOURCES, *network), ByPrefix::key(plan.container, *network));
        let is_there = held.iter().any(|held| {
            matches!(&held.place, Place::Source(s, k) if *s == set && *k == key) && held.owner() == owner
        });
        if !is_there {
            missing.push(format!(
                "set {TABLE} {} has no element for {} . {network}",
                set.name(),
                plan.container
            ));
        }
    }
}
