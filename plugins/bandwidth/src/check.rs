//! CHECK.

use cni_net::{Link, Rtnl, TokenBucket, check, ifb};
use cni_types::{Attachment, Code, Error, Result};

use crate::host_end;
use crate::limit::Limits;

/// # Errors
/// Code 103 with the first difference between the limits and what the kernel has.
pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let limits = Limits::read(&attachment.network)?;
    let result = check::prev_result(attachment)?;
    let host = Rtnl::open()?;
    let link = host_end::find(&host, attachment, &result, Code::CHECK)?;
    if let Some(limit) = &limits.ingress {
        bucket(&host, &link, &limit.bucket(&link))?;
    }
    let Some(limit) = &limits.egress else { return Ok(()) };
    let ifb = match ifb::find(&host, &attachment.id)? {
        None => ifb::find_untagged(&host, &attachment.id)?,
        found => found,
    };
    let ifname = &attachment.id.ifname;
    let ifb = ifb.ok_or_else(|| Error::check(format!("the ifb that limits what {ifname} sends is gone")))?;
    if host.find_redirect(&link)? != Some(ifb.index) {
        return Err(Error::check(format!("link {} does not redirect to {}", link.name, ifb.name)));
    }
    if !ifb.is_up() {
        return Err(Error::check(format!("link {} is down", ifb.name)));
    }
    bucket(&host, &ifb, &limit.bucket(&link))
}

fn bucket(host: &Rtnl, link: &Link, wanted: &TokenBucket) -> Result<()> {
    let name = &link.name;
    let found = match host.root_qdisc(link)? {
        Some((_, Some(found))) => found,
        Some((kind, None)) => {
            return Err(Error::check(format!(
                "the root qdisc of link {name} is {kind:?}, expected a token bucket"
            )));
        }
        None => return Err(Error::check(format!("link {name} has no root qdisc, expected a token bucket"))),
    };
    if found == *wanted {
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
