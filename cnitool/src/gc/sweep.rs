//! Taking away what is dead.

use std::collections::HashSet;
use std::path::Path;

use cni_plugins::plugins;
use cni_skel::tell;
use cni_types::{AttachmentId, Doing, Error, Failures, NetworkName, Result};

use super::last::Collected;
use super::options::Options;
use super::verdict::Verdict;
use crate::at_once::at_once;
use crate::attachments::{Attachment, State, Survey};
use crate::chain::Runtime;
use crate::conflist::{NetworkList, dir};
use crate::invoke::{CapabilityArgs, RuntimeConf};
use crate::output::{print, with_code};

/// Plugins are processes that wait for the kernel most of the time.
const WORKERS: usize = 4;

/// `--keep none`: every network's DELs and GC with an empty list, as the protocol has it.
///
/// # Errors
/// Code 5 or 7 for a network that cannot be read; all failures, folded, after everything was tried.
pub(super) fn everything(runtime: &Runtime, net_dir: &Path, options: &Options) -> Result<Option<Collected>> {
    let names = match options.networks.as_slice() {
        [] => dir::names(net_dir)?.into_iter().collect(),
        named => named.to_vec(),
    };
    let lists: Vec<NetworkList> =
        names.iter().map(|name| dir::find_network(net_dir, name)).collect::<Result<_>>()?;
    print(&names.iter().map(|name| format!("{name}: everything goes\n")).collect::<String>())?;
    if options.dry_run || !options.is_confirmed()? {
        return Ok(None);
    }
    let known = lists.iter().filter_map(|list| runtime.cache.attachments(&list.name).ok());
    let removed = known.map(|known| known.len()).sum();
    Error::all(lists.iter().map(|list| runtime.gc(list, &[]).doing(&list.name)))?;
    Ok(Some(Collected { removed, ..Collected::default() }))
}

/// A DEL for each, then GC for the plugins of other suites. How many are gone, and whether something failed, which is
/// told.
///
/// # Errors
/// When nothing can be printed.
pub(super) fn dead(
    runtime: &Runtime,
    before: &Survey,
    dead: &[&Attachment],
    judged: &[(&Attachment, Verdict)],
) -> Result<(usize, bool)> {
    let mut failed = Failures::new();
    let outcomes = at_once(WORKERS, dead, |attachment| {
        let [network, container, ifname] = attachment.names();
        remove(runtime, before, attachment).doing(format_args!("{network} {container} {ifname}"))
    });
    let gone = outcomes.into_iter().filter_map(|outcome| failed.note(outcome));
    let removed = gone.filter(|has_gone| *has_gone).count();
    let networks: HashSet<&NetworkName> = dead.iter().filter_map(|a| a.network.as_ref()).collect();
    for list in networks.into_iter().filter_map(|network| before.networks.get(network)) {
        let living = judged.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Dead(_)));
        let valid = living.filter_map(|(a, _)| a.id.clone()).filter(|id| id.network == list.name);
        failed.note(runtime.gc_of_others(list, &valid.collect::<Vec<_>>(), &is_ours).doing(&list.name));
    }
    print(&format!("{removed} removed\n"))?;
    let failed = failed.fold().inspect_err(|error| tell(with_code(error)));
    Ok((removed, failed.is_err()))
}

fn is_ours(plugin: &str) -> bool {
    plugins().any(|ours| ours.about().name == plugin)
}

/// Whether it has gone: one that was attached anew since it was judged stays.
fn remove(runtime: &Runtime, before: &Survey, attachment: &Attachment) -> Result<bool> {
    let Some(id) = &attachment.id else { return Ok(false) };
    let configured = before.networks.get(&id.network);
    let (list, conf) = match &attachment.kept {
        Some(kept) => {
            let netns = kept.conf.netns.clone();
            if attachment.state == State::NoNamespace && netns.as_deref().is_some_and(is_namespace) {
                return Ok(false);
            }
            // Whose the namespace is now, nobody knows, unless the attachment was seen in it.
            let netns = netns.filter(|_| attachment.state == State::Ok);
            (Some(&*kept.list), RuntimeConf { netns, ..kept.conf.clone() })
        }
        None if runtime.cache.contains(id) && attachment.file.is_none() => return Ok(false),
        None => (configured, bare(id)),
    };
    let list = list.ok_or_else(|| Error::config("no configuration says which plugins to run"))?;
    runtime.del(list, &conf).map(|()| true)
}

fn is_namespace(path: &Path) -> bool {
    cni_net::Netns::open(path).is_ok()
}

fn bare(id: &AttachmentId) -> RuntimeConf {
    RuntimeConf {
        container_id: id.container_id.clone(),
        netns: None,
        ifname: id.ifname.clone(),
        args: Vec::new(),
        capability_args: CapabilityArgs::new(),
    }
}
