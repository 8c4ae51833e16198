//! The limits as a part: qdiscs on the host end of the pair, and the ifb that what the container sends goes through.

use cni_net::{Rtnl, TokenBucket, ifb, try_out};
use cni_part::{Held, Host, Made, Owned, Part, Parts, Restoring, Site, Whose};
use cni_skel::{Detachment, Undo};
use cni_types::{Code, Network, Result};

use crate::limit::Limits;
use crate::{add, check, host_end};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(Limiter(Limits::read(network)?))])
}

struct Limiter(Limits);

/// The ifbs of attachments.
pub(crate) static IFBS: Ifbs = Ifbs;

impl Part for Limiter {
    fn name(&self) -> &'static str {
        "limits"
    }

    /// The qdiscs of the host end go with it.
    fn owned(&self) -> Option<&'static dyn Owned> {
        self.0.egress.as_ref().map(|_| &IFBS as _)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { add::add(&self.0, site, made, undo) }
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        check::check(&self.0, site, &made.result)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    /// The two limits and the ifb are one thing: what is left of it goes first. Somebody else's root qdisc stays, and
    /// is the reason why nothing is put back.
    fn restore<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (host, id) = (site.host.rtnl()?, &site.attachment.id);
        let link = host_end::find(site, &made.result, Code::CHECK)?;
        let ifb = match ifb::find(host, id)? {
            None => ifb::find_untagged(host, id)?,
            found => found,
        };
        if let Some((_, Some(_bucket))) = host.root_qdisc(&link)? {
            host.remove_root_qdisc_if_present(&link)?;
        }
        host.remove_ingress_qdisc_if_present(&link)?;
        ifb.map_or(Ok(()), |ifb| host.remove_link_if_present(ifb.index))?;
        self.add(site, made, undo)
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        try_out("limit rates", "", probe)
    }
}

/// Everything ADD does, on an ifb in place of the pair.
fn probe(rtnl: &Rtnl) -> Result<()> {
    let link = ifb::probe(rtnl)?;
    rtnl.add_token_bucket(&link, &TokenBucket::new(125_000, 12_500))?;
    rtnl.add_ingress_qdisc(&link)?;
    rtnl.add_redirect(&link, &link)
}

pub(crate) struct Ifbs;

impl Owned for Ifbs {
    fn name(&self) -> &'static str {
        "ifb"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        let host = host.rtnl()?;
        match *whose {
            Whose::Attachment(detachment) => {
                let link = match ifb::find(host, &detachment.id)? {
                    None if may_be_the_references(detachment) => ifb::find_untagged(host, &detachment.id)?,
                    found => found,
                };
                link.map_or(Ok(()), |link| host.remove_link_if_present(link.index))
            }
            Whose::Stale { owners, .. } => host.remove_tagged("ifb", owners),
        }
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        Held::links(host, "ifb", network)
    }
}

/// The reference names a container's ifb without regard to the interface. With the result at hand, one that is not in
/// it belongs to another interface.
fn may_be_the_references(detachment: &Detachment) -> bool {
    let name = ifb::reference_name(&detachment.id);
    detachment.result_hint().is_none_or(|result| result.interfaces.iter().any(|i| i.name == name))
}
