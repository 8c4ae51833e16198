//! ADD.

use cni_net::{Link, Rtnl, ifb};
use cni_part::{Made, Site};
use cni_skel::{Undo, tell};
use cni_types::{Code, Interface, Result};

use crate::host_end;
use crate::limit::{Limit, Limits};

/// Sets the limits, of which there is one at least.
///
/// # Errors
/// Code 7 when the interface has no host end to limit; code 100 with what the kernel refused.
pub(crate) fn add<'a>(
    limits: &'a Limits,
    site: &'a Site<'a>,
    made: &mut Made,
    undo: &mut Undo<'a>,
) -> Result<()> {
    let host = site.host.rtnl()?;
    let link = host_end::find(site, &made.result, Code::CONFIG)?;
    for warning in [&limits.ingress, &limits.egress].into_iter().flatten().filter_map(|l| l.warning(&link)) {
        tell(format_args!("bandwidth: {warning}"));
    }
    if let Some(limit) = &limits.ingress {
        host.add_token_bucket(&link, &limit.bucket(&link))?;
        let link = link.clone();
        undo.push(format!("remove the root qdisc of {}", link.name), move || {
            host.remove_root_qdisc_if_present(&link)
        });
    }
    if let Some(limit) = &limits.egress {
        let ifb = egress(host, site, &link, limit, undo)?;
        let (name, mac) = (ifb.name.clone(), ifb.mac_text());
        made.result.interfaces.push(Interface { name, mac, ..Interface::default() });
    }
    Ok(())
}

/// The bucket is on the ifb before anything is sent there: nothing passes without a limit.
fn egress<'a>(
    host: &'a Rtnl,
    site: &Site<'_>,
    link: &Link,
    limit: &Limit,
    undo: &mut Undo<'a>,
) -> Result<Link> {
    let ifb = ifb::create(host, &site.attachment.id, link.mtu)?;
    let index = ifb.index;
    undo.push(format!("delete link {}", ifb.name), move || host.remove_link_if_present(index));
    host.add_token_bucket(&ifb, &limit.bucket(link))?;
    host.add_ingress_qdisc(link)?;
    let limited = link.clone();
    undo.push(format!("remove the ingress qdisc of {}", link.name), move || {
        host.remove_ingress_qdisc_if_present(&limited)
    });
    host.add_redirect(link, &ifb)?;
    Ok(ifb)
}
