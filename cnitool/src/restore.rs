//! `cnitool restore`: puts back what somebody took from attachments whose containers live on, such as `nft flush
//! ruleset`, a reload of firewalld, `iptables -F` or `sysctl --system`: masquerade, ports, firewall, spoof check,
//! gateway, sysctls, limits.
//!
//! It goes by the result cache, which says what ADD was told and what it returned. Each part of an attachment is
//! compared with that, in this process; what differs is made as ADD makes it (`PartPlugin::restore`), and what does not
//! is left alone. No plugin is run, and nothing is taken away.
//!
//! The first attachment of each network makes what the others share. Those are put back many at a time: the packet
//! filter is looked at once for all of them, and changed once. Whoever it does not work for like that is tried by
//! itself.

mod attached;
mod chain;
mod report;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use cni_part::Host;
use cni_types::Result;

use crate::cache::{Cache, Entry, Kept};
use crate::conflist::dir;
use crate::settings;
use crate::trace::operation;
use attached::Attached;
use chain::Outcome;

/// Attachments that are put back together.
const TOGETHER: usize = 250;

/// Restores the attachments of `networks`, or all of them; prints what was put back. Exit status 1 when something could
/// not be.
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
    let outcomes = all(&found, &cni_path);
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

/// What becomes of every entry, in their order.
fn all(entries: &[(PathBuf, Kept)], cni_path: &[PathBuf]) -> Vec<Outcome> {
    let mut networks = HashSet::new();
    let (first, rest): (Vec<usize>, Vec<usize>) =
        (0..entries.len()).partition(|&at| networks.insert(&entries[at].1.id.network));
    let kept = |at: &usize| &entries[*at].1;
    let mut outcomes: Vec<_> = first.iter().map(|at| (*at, alone(kept(at), cni_path))).collect();
    for some in rest.chunks(TOGETHER) {
        let restored = together(&some.iter().map(kept).collect::<Vec<_>>(), cni_path);
        outcomes.extend(some.iter().copied().zip(restored));
    }
    outcomes.sort_unstable_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn alone(kept: &Kept, cni_path: &[PathBuf]) -> Outcome {
    on(&Rc::new(Host::new()), kept, cni_path)
}

fn on(host: &Rc<Host>, kept: &Kept, cni_path: &[PathBuf]) -> Outcome {
    match Attached::new(kept, cni_path) {
        Ok(Some(attached)) => chain::restore(&attached, host),
        Ok(None) => Outcome::Gone,
        Err(error) => Outcome::failed(error),
    }
}

fn together(some: &[&Kept], cni_path: &[PathBuf]) -> Vec<Outcome> {
    let host = Rc::new(Host::new());
    host.filter().gather();
    let outcomes: Vec<_> = some.iter().map(|kept| on(&host, kept, cni_path)).collect();
    let is_settled = host.filter().settle().is_ok();
    let outcomes = some.iter().zip(outcomes).map(|(kept, outcome)| match outcome {
        Outcome::Changed { waits: true, failed, put_back } if is_settled && failed.is_empty() => {
            let settled = Attached::new(kept, cni_path)
                .and_then(|attached| attached.map_or(Ok(()), |attached| chain::settled(&attached, &host)));
            Outcome::of(put_back, settled.err().into_iter().collect())
        }
        Outcome::Changed { waits, failed, put_back } if waits || !failed.is_empty() => {
            alone(kept, cni_path).after(put_back, is_settled)
        }
        outcome => outcome,
    });
    outcomes.collect()
}
