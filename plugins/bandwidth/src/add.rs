//! ADD.

use cni_net::{Link, Rtnl, ifb};
use cni_skel::{Attachment, Undo, tell};
use cni_types::{CniResult, Code, Interface, Result};

use crate::host_end;
use crate::limit::{Limit, Limits};

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let limits = Limits::read(&attachment.network)?;
    let mut result = attachment.network.chained_result("bandwidth")?;
    if limits.is_empty() {
        return Ok(result);
    }
    let host = Rtnl::open()?;
    let link = host_end::find(&host, attachment, &result, Code::CONFIG)?;
    for warning in [&limits.ingress, &limits.egress].into_iter().flatten().filter_map(|l| l.warning(&link)) {
        tell(format_args!("bandwidth: {warning}"));
    }
    let mut undo = Undo::new();
    if let Some(limit) = &limits.ingress {
        host.add_token_bucket(&link, &limit.bucket(&link))?;
        let (host, link) = (&host, &link);
        undo.push(format!("remove the root qdisc of {}", link.name), || {
            host.remove_root_qdisc_if_present(link)
        });
    }
    if let Some(limit) = &limits.egress {
        let ifb = egress(&host, attachment, &link, limit, &mut undo)?;
        let (name, mac) = (ifb.name.clone(), ifb.mac_text());
        result.interfaces.push(Interface { name, mac, ..Interface::default() });
    }
    undo.commit();
    Ok(result)
}

/// The bucket is on the ifb before anything is sent there: nothing passes without a limit.
fn egress<'a>(
    host: &'a Rtnl,
    attachment: &Attachment,
    link: &'a Link,
    limit: &Limit,
    undo: &mut Undo<'a>,
) -> Result<Link> {
    let ifb = ifb::create(host, &attachment.id, link.mtu)?;
    let index = ifb.index;
    undo.push(format!("delete link {}", ifb.name), move || host.remove_link_if_present(index));
    host.add_token_bucket(&ifb, &limit.bucket(link))?;
    host.add_ingress_qdisc(link)?;
    undo.push(format!("remove the ingress qdisc of {}", link.name), || {
        host.remove_ingress_qdisc_if_present(link)
    });
    host.add_redirect(link, &ifb)?;
    Ok(ifb)
}
