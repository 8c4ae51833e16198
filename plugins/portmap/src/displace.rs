//! What an ADD takes from others outside its own layout, and from itself: the backend may have been another one, and a
//! family may have been there that is not any more.

use std::net::IpAddr;

use cni_filter::Filter;
use cni_filter::masquerade::Backend;
use cni_types::{Cidr, Result};
use cni_types::{Failures, Family};

use crate::claim::Claimant;
use crate::flows::Gone;
use crate::{iptables, nft};

/// Removes it, and returns where it led. `yielded` are the owners that are gone.
///
/// # Errors
/// Code 101 when kernel or tool refuse.
pub(crate) fn all(
    filter: &Filter,
    backend: Backend,
    claimant: &Claimant<'_>,
    yielded: &[String],
    targets: &[Option<Cidr>; 2],
) -> Result<Vec<Gone>> {
    let (id, claims) = (claimant.id, claimant.claims);
    let is_repeated = claims.own(id).next().is_some();
    if !is_repeated && yielded.is_empty() && claimant.displaced.is_empty() {
        return Ok(Vec::new());
    }
    let (mut gone, mut failures) = (Vec::new(), Failures::new());
    let socket = filter.nftables_if_present()?;
    let chains = claims.chains_of(yielded);
    gone.extend(iptables::remove(socket, &Family::ALL, &chains, &mut failures));
    for (family, target) in Family::ALL.into_iter().zip(targets) {
        let mut chains: Vec<String> = Vec::new();
        if let Some(target) = target {
            let displaced = claimant.displaced.iter().filter(|claim| claim.addresses.contains(&target.ip()));
            chains.extend(displaced.map(|claim| claim.chain.clone()));
        }
        if is_repeated && (backend == Backend::Nftables || target.is_none()) {
            chains.extend(claims.chains(id));
        }
        gone.extend(iptables::remove(socket, &[family], &chains, &mut failures));
    }
    if let Some(socket) = socket.filter(|_| backend == Backend::Iptables) {
        let own = id.tag_prefix();
        let all = yielded.iter().map(String::as_str).chain(is_repeated.then_some(own.as_str()));
        gone.extend(nft::evict(socket, &all.collect::<Vec<_>>(), None)?);
        let displaced: Vec<&str> = claimant.displaced.iter().map(|claim| claim.owner.as_str()).collect();
        let targets: Vec<IpAddr> = targets.iter().flatten().map(Cidr::ip).collect();
        gone.extend(nft::evict(socket, &displaced, Some(&targets))?);
    }
    failures.fold().map(|()| gone)
}
