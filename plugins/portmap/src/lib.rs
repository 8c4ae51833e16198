//! `portmap`: maps ports of the host to ports of a container. A chained plugin: it passes the previous result on.
//!
//! ADD makes the mappings of `runtimeConfig.portMappings` for the container's first address of each family, with
//! nftables (one batch over netlink) or iptables (one `iptables-restore` per family); lets 127.0.0.1 reach them; and
//! deletes tracked UDP and SCTP flows that would go elsewhere.
//!
//! Host state with nftables: elements in `table inet cni_portmap`, each with its owner as comment. With iptables: the
//! reference's chain of the container, or one of the interface's own, and the entries that lead to it. With both: a claim
//! in `/run/cni/portmap`. Shared chains, maps and `route_localnet` of the container's link stay. DEL removes the attachment's state in both layouts and the reference's own from (network,
//! container id, ifname) alone, and ends the flows that went through. GC removes what belongs to attachments of the
//! network that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod backend;
mod claim;
mod condition;
mod conf;
mod displace;
mod flows;
mod iptables;
mod localnet;
mod made;
mod mapping;
mod nft;
mod reference;
mod target;

use cni_filter::Filter;
use cni_filter::masquerade::{self, Backend};
use cni_net::Rtnl;
use cni_skel::{About, Attachment, Detachment, Plugin, Undo};
use cni_types::{AttachmentId, Cidr, CniResult, Code, Error, Failures, Family, Network, Result, SpecVersion};

use claim::{Claimant, Claims};
use conf::Conf;
use nft::Plan;

/// The plugin.
pub struct Portmap;

impl Plugin for Portmap {
    fn about(&self) -> About {
        About { name: "portmap", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        let conf = Conf::read(&attachment.network)?;
        let result = attachment.network.chained_result("portmap")?;
        let (id, targets) = (&attachment.id, target::addresses(&result, &attachment.id));
        let claims = Claims::list();
        let is_claimed = |claims: &Claims| claims.own(id).next().is_some();
        attachment.is_repeated.set(claims.as_ref().is_ok_and(is_claimed));
        if conf.mappings.iter().any(|mapping| target::is_mapped(mapping, &targets)) {
            add(attachment, &claims?, &conf, &targets)?;
        }
        Ok(result)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        let conf = Conf::read(&attachment.network)?;
        let targets = target::addresses(&attachment.network.chained_result("portmap")?, &attachment.id);
        if conf.mappings.is_empty() || targets == [None; 2] {
            return Ok(());
        }
        check(&attachment.id, &conf, &targets)
    }

    /// Needs none of its own keys, so a configuration that no longer makes sense cannot keep a container from going.
    fn del(&self, detachment: &Detachment) -> Result<()> {
        remove(&Filter::new(), &detachment.id, &hints(detachment))
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let valid = network.valid_attachments()?;
        let filter = Filter::new();
        let mut failures = Failures::new();
        let socket = failures.note(filter.nftables_if_present()).flatten();
        let claims = Claims::list_or_note(&mut failures);
        let mut gone = iptables::collect(socket, &network.name, &valid, &claims, &mut failures);
        if let Some(socket) = socket {
            let more = failures.note(nft::collect(socket, &network.name, &valid));
            gone.extend(more.into_iter().flatten());
        }
        flows::end(&gone);
        if failures.is_empty() {
            failures.note(claims.collect(&network.name, &valid));
        }
        failures.fold()
    }

    fn status(&self, network: &Network) -> Result<()> {
        let conf = Conf::read(network)?;
        let filter = Filter::new();
        conf.choose(&filter)?;
        Claims::probe().map_err(|e| e.with_code(Code::UNAVAILABLE))?;
        if let Some(warning) = masquerade::warning(backend::usable(&filter, &conf)?) {
            cni_skel::tell(warning);
        }
        Ok(())
    }
}

/// Makes the mappings, and takes them back if that fails, unless an ADD before this one had made them.
fn add(attachment: &Attachment, claims: &Claims, conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<()> {
    let id = &attachment.id;
    let filter = Filter::new();
    let is_native = conf.choose(&filter)? == Backend::Nftables;
    let plans = is_native.then(|| Plan::all(conf, targets)).transpose()?;
    let host = Rtnl::open()?;
    let claimant = Claimant { id, claims, displaced: &claims.displaced(id, targets) };
    let mut undo = Undo::new();
    if !attachment.is_repeated.get() {
        undo.push("remove the port mappings", || remove(&filter, id, &[]));
    }
    let claim = claims.write(id, &attachment.netns, targets)?;
    let (backend, made) = backend::make(&filter, &claimant, conf, targets, plans)?;
    let mut gone = displace::all(&filter, backend, &claimant, &made.yielded, targets)?;
    gone.extend(made.gone);
    if let [Some(target), _] = targets {
        if localnet::is_wanted(conf) {
            localnet::enable(&filter, &host, target.ip())?;
        }
    }
    claims.settle(&claim, claimant.displaced, &made.yielded)?;
    undo.commit();
    flows::end(&gone);
    flows::redirect(&conf.mappings, targets, &host);
    Ok(())
}

/// What the attachment probably has, if the runtime says it again. Anything that makes no sense is no hint.
fn hints(detachment: &Detachment) -> Vec<Plan> {
    let Ok(conf) = Conf::read(&detachment.network) else { return Vec::new() };
    let prev_result = detachment.network.prev_result().ok().flatten().unwrap_or_default();
    Plan::all(&conf, &target::addresses(&prev_result, &detachment.id)).unwrap_or_default()
}

/// Removes the attachment's mappings in every layout, and its claim when they are gone.
fn remove(filter: &Filter, id: &AttachmentId, hints: &[Plan]) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    let claims = Claims::list_or_note(&mut failures);
    let mut gone = iptables::remove(socket, &Family::ALL, &claims.chains(id), &mut failures);
    if let Some(socket) = socket {
        gone.extend(failures.note(nft::remove(socket, id, hints, &claims)).into_iter().flatten());
        failures.note(reference::remove(socket, &id.container_id));
    }
    flows::end(&gone);
    if failures.is_empty() {
        failures.note(claims.remove(id));
    }
    failures
        .fold()
        .map_err(|e| e.doing(format_args!("cannot remove the ports of container {}", id.container_id)))
}

/// Whether the mappings are there: in the configured layout, or in one that a container of before an upgrade or a
/// change of configuration has.
fn check(id: &AttachmentId, conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<()> {
    let filter = Filter::new();
    let backend = conf.choose(&filter)?;
    let socket = filter.nftables_if_present()?;
    let native = || match socket {
        Some(socket) => nft::missing(socket, id, Plan::all(conf, targets)?),
        None => Ok(vec!["the kernel has no nftables".to_owned()]),
    };
    let claims = Claims::list()?;
    let iptables = || iptables::missing(id, conf, targets, &claims);
    let complete = |found: &Result<Vec<String>>| found.as_ref().is_ok_and(Vec::is_empty);
    let (found, other): (_, &dyn Fn() -> Result<Vec<String>>) =
        if backend == Backend::Nftables { (native(), &iptables) } else { (iptables(), &native) };
    if complete(&found) || complete(&other()) {
        return check_localnet(&filter, id, conf, targets, &claims);
    }
    let wanted = Family::ALL.map(|family| {
        let has_target = targets[family].is_some();
        if has_target { conf.mappings.iter().filter(|mapping| mapping.is_for(family)).count() } else { 0 }
    });
    if let Some(socket) = socket {
        if reference::is_complete(socket, &id.container_id, wanted)? {
            return Ok(());
        }
    }
    Err(unmapped(id, &found?))
}

/// What an ADD of ours, which has left a claim, makes for 127.0.0.1; the reference's makes less.
fn check_localnet(
    filter: &Filter,
    id: &AttachmentId,
    conf: &Conf,
    targets: &[Option<Cidr>; 2],
    claims: &Claims,
) -> Result<()> {
    let ([Some(target), _], Some(_)) = (targets, claims.own(id).next()) else { return Ok(()) };
    if !localnet::is_wanted(conf) {
        return Ok(());
    }
    let missing = localnet::missing(filter, &Rtnl::open()?, target.ip())?;
    if missing.is_empty() { Ok(()) } else { Err(unmapped(id, &missing)) }
}

fn unmapped(id: &AttachmentId, missing: &[String]) -> Error {
    let (id, missing) = (&id.container_id, missing.join("; "));
    Error::check(format!("ports of container {id} are not mapped: {missing}"))
        .because("if the ruleset was flushed, the container has to be attached anew (DEL and ADD)")
}
