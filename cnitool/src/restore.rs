//! `cnitool restore`: puts back what somebody took from attachments whose containers live on, such as `nft flush ruleset`,
//! a reload of firewalld, `iptables -F` or `sysctl --system`: masquerade, ports, firewall, spoof check, gateway, sysctls,
//! limits.
//!
//! It goes by the result cache, which says what ADD was told and what it returned. Each part of an attachment is compared
//! with that, in this process; what differs is made as ADD makes it (`PartPlugin::restore`), and what does not is left
//! alone. No plugin is run, and nothing is taken away.

mod attached;
mod chain;
mod report;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use cni_types::Result;

use crate::at_once::at_once;
use crate::cache::{Cache, Entry, Kept};
use crate::conflist::dir;
use crate::settings;
use crate::trace::operation;
use attached::Attached;
use chain::Outcome;

/// More do not go faster: the kernel changes one ruleset at a time.
const WORKERS_MAX: usize = 8;

/// Restores the attachments of `networks`, or all of them; prints what was put back. Exit status 1 when something could not
/// be.
///
/// # Errors
/// Code 5 when the cache cannot be listed, code 7 for a network that has neither configuration nor attachment.
pub(crate) fn run(networks: &[String]) -> Result<ExitCode> {
    operation("RESTORE", None, None, || restore(networks))
}

fn restore(networks: &[String]) -> Result<ExitCode> {
    let entries = Cache::default().entries()?;
    refuse_unknown(networks, &entries)?;
    let mut report = report::Report::default();
    let mut found = Vec::new();
    for Entry { file, kept } in entries {
        match kept {
            Ok(kept)
                if networks.is_empty() || networks.iter().any(|name| name == kept.id.network.as_str()) =>
            {
                found.push((file, kept));
            }
            Ok(_) => {}
            Err(error) => report.unreadable(&error.doing(format!("cannot use {}", file.display()))),
        }
    }
    let cni_path = settings::cni_path()?;
    let outcomes = each(&found, |kept| match Attached::new(kept, &cni_path) {
        Ok(Some(attached)) => chain::restore(&attached),
        Ok(None) => Outcome::Gone,
        Err(error) => Outcome::of(Vec::new(), vec![error]),
    });
    for ((file, kept), mut outcome) in found.iter().zip(outcomes) {
        if !file.exists() {
            outcome = chain::take_back(kept, &cni_path, outcome);
        }
        report.outcome(&kept.id, &outcome);
    }
    report.finish()
}

/// A misspelt name is no success.
fn refuse_unknown(networks: &[String], entries: &[Entry]) -> Result<()> {
    let kept = || entries.iter().filter_map(|entry| entry.kept.as_ref().ok());
    let has_entry = |name: &String| kept().any(|kept| kept.id.network.as_str() == name);
    let mut unknown = networks.iter().filter(|name| !has_entry(name));
    unknown.try_for_each(|name| dir::find_network(&settings::net_dir()?, name).map(drop))
}

/// `act` on every entry, the first of each network before any other: it makes the tables that the others share.
fn each(entries: &[(PathBuf, Kept)], act: impl Fn(&Kept) -> Outcome + Sync) -> Vec<Outcome> {
    let mut networks = HashSet::new();
    let (first, rest): (Vec<usize>, Vec<usize>) =
        (0..entries.len()).partition(|&at| networks.insert(&entries[at].1.id.network));
    let settle = |&at: &usize| (at, act(&entries[at].1));
    let workers = thread::available_parallelism().map_or(1, usize::from).clamp(1, WORKERS_MAX);
    let mut outcomes: Vec<_> = first.iter().map(settle).collect();
    outcomes.extend(at_once(workers, &rest, settle));
    outcomes.sort_unstable_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
