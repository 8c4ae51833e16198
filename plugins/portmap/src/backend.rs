//! Which of the kernel's packet filters carries the mappings.

use cni_filter::Filter;
use cni_filter::iptables::or_natively;
use cni_filter::masquerade::Backend;
use cni_filter::nft::Socket;
use cni_types::{Cidr, Failures, Family, Result};

use crate::claim::Claimant;
use crate::conf::Conf;
use crate::nft::Plan;
use crate::taken::Taken;
use crate::{iptables, nft};

/// Makes the mappings, and tells with which backend: with nftables if there are `plans` for it, else with iptables; but
/// where that lacks what they need and nobody has asked for it, with nftables, too.
///
/// # Errors
/// Code 11 naming the holder of a taken port or of the lock, code 101 naming what iptables lacks, or when tool or
/// kernel refuse.
pub(crate) fn make(
    filter: &Filter,
    claimant: &Claimant<'_>,
    conf: &Conf,
    targets: &[Option<Cidr>; 2],
    plans: Option<Vec<Plan>>,
) -> Result<(Backend, Taken)> {
    if let Some(plans) = plans {
        return Ok((Backend::Nftables, nft::add(filter.nftables()?, claimant, plans)?));
    }
    let refusal = match iptables::add(filter, claimant, conf, targets) {
        Ok(made) => return Ok((Backend::Iptables, made)),
        Err(refusal) => refusal,
    };
    let natively = |socket: &Socket| {
        // One family may have been made, or an ADD before this one.
        let chains = claimant.claims.chains(claimant.id);
        let mut failures = Failures::new();
        let gone = iptables::remove(Some(socket), &Family::ALL, &chains, &mut failures);
        failures.fold()?;
        let mut made = nft::add(socket, claimant, Plan::all(conf, targets)?)?;
        made.gone.extend(gone);
        Ok((Backend::Nftables, made))
    };
    let socket = filter.nftables_if_present()?.filter(|_| conf.is_free());
    or_natively(refusal, || iptables::lacking(conf, targets), socket.map(|socket| || natively(socket)))
}

/// Which backend an ADD would use.
///
/// # Errors
/// Code 7 when it does not take the options that are set, code 50 with the reason why ADD would fail.
pub(crate) fn usable(filter: &Filter, conf: &Conf) -> Result<Backend> {
    if conf.choose(filter)? == Backend::Nftables {
        return nft::status(filter).map(|()| Backend::Nftables);
    }
    match iptables::status(filter, conf) {
        Err(_) if conf.is_free() && nft::status(filter).is_ok() => Ok(Backend::Nftables),
        outcome => outcome.map(|()| Backend::Iptables),
    }
}
