//! Source based routing as a part: rules, and the tables they lead to, in the container.

use std::path::Path;

use cni_net::{Change, Rtnl, Rule, try_out};
use cni_part::{Host, InContainer, Made, Owned, Part, Parts, Site};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::conf::Conf;
use crate::{add, check, del, plan};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(SourceRouting(Conf::read(network)?))])
}

struct SourceRouting(Conf);

/// The rules of attachments; the tables' routes go with the interface.
pub(crate) static RULES: InContainer = InContainer { name: "rules", remove: del::del };

impl Part for SourceRouting {
    fn name(&self) -> &'static str {
        RULES.name
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&RULES)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        add::add(&self.0, site, &made.result, undo)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        check::check(&self.0, site, &made.result)
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        try_out("route by source", "", probe)
    }
}

/// A rule for a documentation address (RFC 5737, RFC 3849) of each family the kernel has.
fn probe(rtnl: &Rtnl) -> Result<()> {
    let mut rules = vec![Rule::from_address([192, 0, 2, 1].into(), plan::FIRST_TABLE)];
    if Path::new("/proc/sys/net/ipv6").exists() {
        rules.push(Rule::from_address([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(), plan::FIRST_TABLE));
    }
    rtnl.change_routing("the rules", rules.iter().map(Change::add_rule).collect(), &mut Undo::new())
}
