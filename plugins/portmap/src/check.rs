//! CHECK.

use cni_filter::masquerade::Backend;
use cni_part::Site;
use cni_types::{AttachmentId, Cidr, Error, Family, Result};

use crate::claim::Claims;
use crate::conf::Conf;
use crate::nft::{self, Plan};
use crate::{iptables, localnet, reference};

/// Whether the mappings are there: in the configured layout, or in one that a container of before an upgrade or a
/// change of configuration has.
///
/// # Errors
/// Code 103 naming what is missing.
pub(crate) fn check(site: &Site<'_>, conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<()> {
    let (filter, id) = (site.host.filter(), &site.attachment.id);
    let backend = conf.choose(filter)?;
    let socket = filter.nftables_if_present()?;
    let native = || match socket {
        Some(socket) => nft::missing(socket, id, Plan::all(conf, targets)?),
        None => Ok(vec!["the kernel has no nftables".to_owned()]),
    };
    let claims = Claims::look(filter)?;
    let iptables = || iptables::missing(filter, id, conf, targets, &claims);
    let complete = |found: &Result<Vec<String>>| found.as_ref().is_ok_and(Vec::is_empty);
    let (found, other): (_, &dyn Fn() -> Result<Vec<String>>) =
        if backend == Backend::Nftables { (native(), &iptables) } else { (iptables(), &native) };
    if complete(&found) || complete(&other()) {
        return check_localnet(site, conf, targets, &claims);
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
fn check_localnet(site: &Site<'_>, conf: &Conf, targets: &[Option<Cidr>; 2], claims: &Claims) -> Result<()> {
    let ([Some(target), _], Some(_)) = (targets, claims.own(&site.attachment.id).next()) else {
        return Ok(());
    };
    if !localnet::is_wanted(conf) {
        return Ok(());
    }
    let missing = localnet::missing(site.host.filter(), site.host.rtnl()?, target.ip())?;
    if missing.is_empty() { Ok(()) } else { Err(unmapped(&site.attachment.id, &missing)) }
}

fn unmapped(id: &AttachmentId, missing: &[String]) -> Error {
    let (id, missing) = (&id.container_id, missing.join("; "));
    Error::check(format!("ports of container {id} are not mapped: {missing}"))
        .because("if the ruleset was flushed, `cnitool restore` puts it back")
}
