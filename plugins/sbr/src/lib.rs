//! `sbr`: source based routing. What a container sends from an interface's address leaves by that interface, whatever
//! its main table says. It comes in a chain behind the plugin that made the interface.
//!
//! ADD gives every address of the interface a routing table of its own: a default route through its gateway and the
//! routes the interface has in the main table, which leave it. A rule per address looks into the table. With `table`
//! there are only the rules; somebody else has filled that table. The routes are computed first and made in two writes:
//! what is new, then what leaves the main table.
//!
//! Host state: none; rules and routes are in the container's namespace. DEL removes the rules, the tables' routes go
//! with the interface.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod del;
mod plan;

use std::path::Path;

use cni_net::{Change, Rtnl, Rule};
use cni_skel::{About, Attachment, Detachment, Plugin, Undo};
use cni_types::{CniResult, Network, Result, SpecVersion};

use conf::Conf;

/// The plugin.
pub struct Sbr;

impl Plugin for Sbr {
    fn about(&self) -> About {
        About { name: "sbr", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        del::del(detachment)
    }

    /// There is nothing on the host, and what is in a container goes with it; the list still has to be one.
    fn gc(&self, network: &Network) -> Result<()> {
        network.valid_attachments().map(drop)
    }

    fn status(&self, network: &Network) -> Result<()> {
        Conf::read(network)?;
        cni_net::try_out("route by source", probe)
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
