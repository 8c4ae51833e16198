//! CHECK.

use cni_net::{Link, Rtnl, TokenBucket, ifb};
use cni_part::Site;
use cni_types::{CniResult, Code, Error, Result};

use crate::host_end;
use crate::limit::{Limit, Limits};

/// # Errors
/// Code 103 with the first difference between the limits and what the kernel has.
pub(crate) fn check(limits: &Limits, site: &Site<'_>, result: &CniResult) -> Result<()> {
    let (host, id) = (site.host.rtnl()?, &site.attachment.id);
    let link = host_end::find(site, result, Code::CHECK)?;
    if let Some(limit) = &limits.ingress {
        bucket(host, &link, limit, &link)?;
    }
    let Some(limit) = &limits.egress else { return Ok(()) };
    let ifb = match ifb::find(host, id)? {
        None => ifb::find_untagged(host, id)?,
        found => found,
    };
    let ifname = &id.ifname;
    let ifb = ifb.ok_or_else(|| Error::check(format!("the ifb that limits what {ifname} sends is gone")))?;
    if host.find_redirect(&link)? != Some(ifb.index) {
        return Err(Error::check(format!("link {} does not redirect to {}", link.name, ifb.name)));
    }
    if !ifb.is_up() {
        return Err(Error::check(format!("link {} is down", ifb.name)));
    }
    bucket(host, &ifb, limit, &link)
}

/// Also passes what the reference made: after an upgrade its containers are still there.
fn bucket(host: &Rtnl, link: &Link, limit: &Limit, host_end: &Link) -> Result<()> {
    let (name, wanted) = (&link.name, &limit.bucket(host_end));
    let found = match host.root_qdisc(link)? {
        Some((_, Some(found))) => found,
        Some((kind, None)) => {
            return Err(Error::check(format!(
                "the root qdisc of link {name} is {kind:?}, expected a token bucket"
            )));
        }
        None => return Err(Error::check(format!("link {name} has no root qdisc, expected a token bucket"))),
    };
    if found == *wanted || limit.buckets_of_the_reference().iter().any(|bucket| found.is_rounded(bucket)) {
        return Ok(());
    }
    let text = |b: &TokenBucket| {
        format!("rate {} bytes/s, burst {} bytes, limit {} bytes", b.rate, b.burst(), b.limit)
    };
    Err(Error::check(format!(
        "the token bucket of link {name} has {}, expected {}",
        text(&found),
        text(wanted)
    )))
}
