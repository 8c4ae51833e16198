//! The mappings as a part.

use std::rc::Rc;

use cni_filter::Filter;
use cni_filter::masquerade::{self, Backend};
use cni_part::{Held, Host, Made, Owned, Part, Parts, Restoring, Site, Whose};
use cni_skel::{Detachment, Undo};
use cni_types::{AttachmentId, Cidr, Failures, Family, Network, Result, Stale};

use crate::check::check;
use crate::claim::{Claimant, Claims};
use crate::conf::Conf;
use crate::nft::{self, Plan};
use crate::{backend, displace, flows, iptables, localnet, reference, target};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(Mapped(Conf::read(network)?.or_of_node()?))])
}

struct Mapped(Conf);

pub(crate) static MAPPINGS: Mappings = Mappings;

impl Part for Mapped {
    fn name(&self) -> &'static str {
        MAPPINGS.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&MAPPINGS)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        self.restore(site, made, undo)?;
        self.settled(site, made)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let targets = target::addresses(&made.result, &site.attachment.id);
        if self.0.mappings.is_empty() || targets == [None; 2] {
            return Ok(());
        }
        check(site, &self.0, &targets)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn restore<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (conf, id) = (&self.0, &site.attachment.id);
        let targets = target::addresses(&made.result, id);
        let claims = Claims::look(site.host.filter());
        let is_claimed = |claims: &Rc<Claims>| claims.own(id).next().is_some();
        site.attachment.is_repeated.set(claims.as_ref().is_ok_and(is_claimed));
        if conf.mappings.iter().any(|mapping| target::is_mapped(mapping, &targets)) {
            add(site, &*claims?, conf, &targets, undo)?;
        }
        Ok(())
    }

    /// Who sent to the ports before goes on with the container.
    fn settled(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let targets = target::addresses(&made.result, &site.attachment.id);
        flows::redirect(&self.0.mappings, &targets, site.host.rtnl()?);
        Ok(())
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        let (conf, filter) = (&self.0, host.filter());
        conf.choose(filter)?;
        Claims::probe()?;
        if let Some(warning) = masquerade::warning(backend::usable(filter, conf)?) {
            cni_skel::tell(warning);
        }
        Ok(())
    }
}

/// Makes the mappings, and takes them back if that fails, unless an ADD before this one had made them.
fn add<'a>(
    site: &'a Site<'a>,
    claims: &Claims,
    conf: &Conf,
    targets: &[Option<Cidr>; 2],
    undo: &mut Undo<'a>,
) -> Result<()> {
    let (attachment, filter, host) = (site.attachment, site.host.filter(), site.host.rtnl()?);
    let id = &attachment.id;
    let is_native = conf.choose(filter)? == Backend::Nftables;
    let plans = is_native.then(|| Plan::all(conf, targets)).transpose()?;
    let claimant = Claimant { id, claims, displaced: &claims.displaced(id, targets) };
    if !attachment.is_repeated.get() {
        undo.push("remove the port mappings", || remove(filter, id, &[]));
    }
    let claim = claims.write(id, &attachment.netns, targets)?;
    let (backend, made) = backend::make(filter, &claimant, conf, targets, plans)?;
    let mut gone = displace::all(filter, backend, &claimant, &made.yielded, targets)?;
    gone.extend(made.gone);
    if let [Some(target), _] = targets {
        if localnet::is_wanted(conf) {
            localnet::enable(filter, host, target.ip())?;
        }
    }
    claims.settle(&claim, claimant.displaced, &made.yielded)?;
    flows::end(&gone);
    Ok(())
}

/// What attachments have in every layout.
pub(crate) struct Mappings;

impl Owned for Mappings {
    fn name(&self) -> &'static str {
        "port mappings"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        let filter = host.filter();
        match *whose {
            Whose::Attachment(detachment) => remove(filter, &detachment.id, &hints(detachment)),
            Whose::Stale { owners, .. } => collect(filter, owners),
        }
    }

    /// By the claims, which every attachment with mappings has.
    fn held(&self, _host: &Host, network: &Network) -> Result<Vec<Held>> {
        Ok(Held::list(Claims::list()?.held(&Stale::all(&network.name))))
    }
}

/// What the attachment probably has, if the runtime says it again. Anything that makes no sense is no hint.
fn hints(detachment: &Detachment) -> Vec<Plan> {
    let Ok(conf) = Conf::read(&detachment.network) else { return Vec::new() };
    let prev_result = detachment.result_hint().unwrap_or_default();
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

/// Removes what stale attachments have, and their claims when it is gone.
fn collect(filter: &Filter, stale: &Stale<'_>) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    let claims = Claims::list_or_note(&mut failures);
    let mut gone = iptables::collect(socket, stale, &claims, &mut failures);
    if let Some(socket) = socket {
        let more = failures.note(nft::collect(socket, stale));
        gone.extend(more.into_iter().flatten());
    }
    flows::end(&gone);
    if failures.is_empty() {
        failures.note(claims.collect(stale));
    }
    failures.fold()
}
