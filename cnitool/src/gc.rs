//! `cnitool gc`: removes what dead containers have left, and nothing of the living.
//!
//! The protocol's GC tells a plugin what to keep and has it remove the rest, so an ADD that began after the list was
//! made would lose what it makes: the specification forbids ADDs meanwhile, and no runtime that lacks GC could be held
//! to that. So it goes the other way round. First what is here is written down, then the living are asked for, and then
//! those that were here before, are not alive and are proven dead get a DEL each: through the whole chain, with what
//! the cache has for it. DEL goes by the owner and needs neither namespace nor result; it is in every version's
//! protocol. Plugins of other suites are told GC as well, behind it, since only they know what they have.

mod keep;
mod last;
mod options;
mod sweep;
mod verdict;

use std::collections::HashSet;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cni_skel::tell;
use cni_types::{NetworkName, Result};

use crate::attachments::{Attachment, Survey};
use crate::cache::Cache;
use crate::chain::Runtime;
use crate::conflist::dir;
use crate::output::{print, with_code};
use crate::settings;
use crate::table::table;
use crate::trace::operation;
pub(crate) use keep::Keep;
use keep::Living;
use last::Collected;
pub(crate) use last::LastRun;
pub(crate) use options::Options;
use verdict::{Court, Verdict, is_alive};

/// How long something has to look left behind: an ADD writes down what it is about to make before it makes it.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// Collects once, or until a signal ends it; then a failure is no end.
///
/// # Errors
/// As [`collect`].
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let once = || operation("GC", None, None, || noted(options));
    let Some(pause) = options.every else { return once() };
    loop {
        if let Err(error) = once() {
            tell(with_code(&error));
        }
        sleep(pause);
    }
}

/// Exit status 1 when something that should have gone is still there. What it came to is noted for the metrics.
fn noted(options: &Options) -> Result<ExitCode> {
    let begun = Instant::now();
    let collected = collect(options);
    match &collected {
        Ok(None) => {}
        Ok(Some(done)) => LastRun::note(Some(*done), begun.elapsed()),
        Err(_) if options.dry_run => {}
        Err(_) => LastRun::note(None, begun.elapsed()),
    }
    let is_incomplete = collected?.is_some_and(|done| done.is_incomplete);
    Ok(if is_incomplete { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// `None` for a dry run, and where the person has said no.
///
/// # Errors
/// Code 5 or 7 when the living could not be asked for, or a network's name is none: then nothing was removed.
fn collect(options: &Options) -> Result<Option<Collected>> {
    let net_dir = settings::net_dir()?;
    let runtime = Runtime { cni_path: settings::cni_path()?, cache: Cache::default() };
    if options.keep == [Keep::Nobody] {
        return sweep::everything(&runtime, &net_dir, options);
    }
    // Whose cache cannot be read is no stranger.
    runtime.cache.entries()?;
    let before = Survey::take(&runtime.cache, &net_dir);
    let living = Living::ask(&options.keep)?;
    let is_known = |name: &String| before.networks.keys().any(|network| network.as_str() == name);
    if let Some(name) = options.networks.iter().find(|name| !is_known(name)) {
        return dir::find_network(&net_dir, name).map(|_| Some(Collected::default()));
    }
    before.missing.iter().for_each(|what| tell(format_args!("not looked at: {what}")));
    let court = Court { living: &living, known: known(&before, &living, options), grace: options.grace };
    let is_meant = |a: &&Attachment| is_meant(a, &before, options);
    let mut judged: Vec<_> =
        before.attachments.iter().filter(is_meant).map(|a| (a, court.judge(a))).collect();
    if judged.iter().any(|(a, verdict)| a.file.is_none() && matches!(verdict, Verdict::Dead(_))) {
        look_again(&mut judged, &runtime, &net_dir);
    }
    show(&judged)?;
    let dead: Vec<&Attachment> =
        judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Dead(_))).map(|(a, _)| *a).collect();
    if options.dry_run || !(dead.is_empty() || options.is_confirmed()?) {
        return Ok(None);
    }
    let spared = judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Spared(_))).count();
    let collected = Collected { spared, ..Collected::default() };
    if dead.is_empty() {
        return Ok(Some(collected));
    }
    let (removed, is_incomplete) = sweep::dead(&runtime, &before, &dead, &judged)?;
    Ok(Some(Collected { removed, is_incomplete, ..collected }))
}

/// The networks that a list says something about.
fn known(before: &Survey, living: &Living, options: &Options) -> HashSet<NetworkName> {
    let named = |network: &NetworkName| {
        !living.is_empty() && options.networks.iter().any(|name| name == network.as_str())
    };
    let alive = before.attachments.iter().filter(|a| is_alive(a, living)).filter_map(|a| a.network.clone());
    before.networks.keys().filter(|network| named(network)).cloned().chain(alive).collect()
}

fn is_meant(attachment: &Attachment, before: &Survey, options: &Options) -> bool {
    let Some(network) = &attachment.network else { return false };
    // Links in other namespaces alone are another host's.
    if attachment.file.is_none() && attachment.held.is_empty() {
        return false;
    }
    let is_off = before.networks.get(network).is_some_and(|list| list.disable_gc);
    !is_off && (options.networks.is_empty() || options.networks.iter().any(|name| name == network.as_str()))
}

/// What looks left behind has to do so twice.
fn look_again(judged: &mut [(&Attachment, Verdict)], runtime: &Runtime, net_dir: &std::path::Path) {
    sleep(SECOND_LOOK);
    let now = Survey::take(&runtime.cache, net_dir);
    let is_left = |a: &&Attachment| a.file.is_none() && a.link.is_none();
    let still: HashSet<_> = now.attachments.iter().filter(is_left).filter_map(|a| a.owner.as_ref()).collect();
    for (attachment, verdict) in judged.iter_mut().filter(|(a, _)| a.file.is_none()) {
        let is_still = attachment.owner.as_ref().is_some_and(|owner| still.contains(owner));
        if matches!(verdict, Verdict::Dead(_)) && !is_still {
            *verdict = Verdict::Spared("it was in the making, or has gone by itself".into());
        }
    }
}

/// Rows for what goes and what is spared; the living are counted.
fn show(judged: &[(&Attachment, Verdict)]) -> Result<()> {
    let mut rows = Vec::new();
    let mut counts = [0; 3];
    for (attachment, verdict) in judged {
        let (at, word, why) = match verdict {
            Verdict::Alive => (0, "", String::new()),
            Verdict::Dead(why) => (1, "goes", (*why).to_owned()),
            Verdict::Spared(why) => (2, "stays", why.clone()),
        };
        counts[at] += 1;
        if at > 0 {
            let [network, container, ifname] = attachment.names();
            rows.push([network, container, ifname, format!("{word}: {why}")]);
        }
    }
    let [alive, dead, spared] = counts;
    print(&format!("{}{alive} alive, {dead} dead, {spared} not proven dead\n", table("", &rows)))
}
