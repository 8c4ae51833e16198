//! STATUS, ADD, CHECK and DEL of one network in a scratch namespace, each whatever became of the others.

use cni_types::{Error, Result};

use super::scratch::Scratch;
use crate::chain::Runtime;
use crate::conflist::NetworkList;
use crate::settings::Settings;
use crate::target::Target;
use crate::trace::{Run, operation, text};

/// What became of it.
pub(super) struct Trial {
    /// The verbs that were tried, with what failed.
    pub(super) outcomes: Vec<(&'static str, Result<()>)>,
    pub(super) runs: Vec<Run>,
    /// How strictly the container's namespace filters by the reverse path, by `rp_filter`, once it is attached.
    pub(super) rp_filter: Option<String>,
}

/// # Errors
/// When there is no scratch namespace to be had.
pub(super) fn run(mut runtime: Runtime, settings: &Settings, list: &NetworkList) -> Result<Trial> {
    let scratch = Scratch::new()?;
    runtime.cache.dir = scratch.cache();
    let target = Target { network: list.name.to_string(), netns: scratch.netns.clone(), ifname: None };
    let conf = settings.attachment(&target, list)?;
    let mut outcomes = Vec::new();
    outcomes.push(("STATUS", operation("STATUS", Some(&list.name), None, || runtime.status(list))));
    let added = operation("ADD", Some(&list.name), Some(&conf), || runtime.add(list, &conf)).map(drop);
    let is_added = added.is_ok();
    outcomes.push(("ADD", added));
    let read = || cni_net::sysctl::read("ipv4/conf/all/rp_filter").ok();
    let rp_filter = cni_net::Netns::open(&scratch.netns).and_then(|netns| netns.enter(read)).ok().flatten();
    if is_added {
        let has_check = list.spec_version().is_ok_and(|version| version >= cni_types::SpecVersion::V0_4_0);
        if has_check {
            outcomes.push((
                "CHECK",
                operation("CHECK", Some(&list.name), Some(&conf), || runtime.check(list, &conf)),
            ));
        }
        outcomes.push(("DEL", operation("DEL", Some(&list.name), Some(&conf), || runtime.del(list, &conf))));
    }
    Ok(Trial { outcomes, runs: scratch.runs(), rp_filter })
}

impl Trial {
    pub(super) fn failures(&self) -> impl Iterator<Item = (&'static str, &Error)> {
        self.outcomes.iter().filter_map(|(verb, outcome)| Some((*verb, outcome.as_ref().err()?)))
    }

    /// A line for each run.
    pub(super) fn summary(&self) -> String {
        self.runs.iter().map(|run| text(run, false)).collect()
    }

    /// What ADD asked of the kernel, or, when that failed, all that was asked.
    pub(super) fn words(&self) -> String {
        let has_failed = self.failures().next().is_some();
        let runs =
            self.runs.iter().filter(|run| (has_failed || run.verb == "ADD") && run.plugin != "cnitool");
        runs.map(|run| text(run, true)).collect()
    }
}
