//! Changes of a namespace's routing that can be taken back.

use cni_netlink::Request;
use cni_skel::Undo;
use cni_types::{Error, Result};

use super::RouteEntry;
use crate::rtnl::Rtnl;
use crate::rule::Rule;

/// One change with its reversal.
#[derive(Debug, Clone)]
pub struct Change {
    act: Request,
    back: Request,
}

impl Change {
    /// Adds a rule, in front of all but the kernel's rule for local addresses.
    pub fn add_rule(rule: &Rule) -> Self {
        Self { act: rule.add(), back: rule.delete() }
    }

    /// Adds a route.
    pub fn add_route(route: &RouteEntry) -> Self {
        Self { act: route.add(), back: route.delete() }
    }

    /// Deletes a route.
    pub fn delete_route(route: &RouteEntry) -> Self {
        Self { act: route.delete(), back: route.add() }
    }
}

impl Rtnl {
    /// Makes all changes in one write and registers the way back, in reverse, for those the kernel made.
    ///
    /// # Errors
    /// Code 100 with the first refusal.
    pub fn change_routing(&self, what: &str, changes: Vec<Change>, undo: &mut Undo<'_>) -> Result<()> {
        let (acts, ways_back): (Vec<_>, Vec<_>) = changes.into_iter().map(|c| (c.act, c.back)).unzip();
        let (mut made, mut refusal) = (Vec::new(), None);
        for (answer, back) in self.socket.ask(&acts).into_iter().zip(ways_back) {
            match answer {
                Ok(_) => made.push(back),
                Err(refused) => drop(refusal.get_or_insert(refused)),
            }
        }
        made.reverse();
        let rtnl = self.clone();
        undo.push(format!("take back {what}"), move || rtnl.settle(made));
        refusal.map_or(Ok(()), |refused| Err(refused.into()))
    }

    /// Makes what is to be there be there, and what is to be gone be gone.
    ///
    /// # Errors
    /// All other refusals, folded.
    pub(crate) fn settle(&self, requests: Vec<Request>) -> Result<()> {
        Error::all(self.socket.ask(&requests).into_iter().zip(&requests).map(|(answer, request)| {
            let Err(refused) = answer else { return Ok(()) };
            if is_delete(request) { refused.unless_gone() } else { refused.unless_there() }
        }))
    }
}

/// Message types come in fours: new, delete, get, set (`linux/rtnetlink.h`).
fn is_delete(request: &Request) -> bool {
    request.kind & 3 == 1
}
