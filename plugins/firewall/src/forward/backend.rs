//! Which of the kernel's packet filters carries the rules.

use cni_types::{Error, Family, Result, words};

use super::{chains, record, sets};
use crate::firewalld::Firewalld;
use cni_filter::iptables::{Tool, is_usable};
use cni_filter::{Filter, masquerade};

/// What carries the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirewallBackend {
    /// `iptables-restore` and the reference's chains.
    Iptables,
    /// nftables over netlink, without a tool.
    Nftables,
    /// firewalld over D-Bus: the addresses become sources of a zone. Isolation is that of [`Self::Iptables`].
    Firewalld,
}

words!(FirewallBackend { Iptables = "iptables", Nftables = "nftables", Firewalld = "firewalld" });

impl FirewallBackend {
    /// What the configuration asks for; where it does not say and firewalld does not run, this node's default. What
    /// firewalld does not know of, it would drop.
    ///
    /// # Errors
    /// Those of [`masquerade::Backend::or_of_node`].
    pub(crate) fn or_of_node(configured: Option<Self>) -> Result<Option<Self>> {
        if configured.is_some() {
            return Ok(configured);
        }
        let default = masquerade::Backend::or_of_node(None)?.map(|default| match default {
            masquerade::Backend::Iptables => Self::Iptables,
            masquerade::Backend::Nftables => Self::Nftables,
        });
        Ok(default.filter(|_| !matches!(Firewalld::find(), Ok(Some(_)))))
    }

    /// The configured backend. If none is configured: firewalld if it runs, else iptables, unless that is unusable and
    /// nftables is usable. Runs no tool and loads no module; that iptables has its extensions shows in [`super::add`].
    pub(crate) fn choose(filter: &Filter, configured: Option<Self>) -> Self {
        let nftables = || matches!(filter.nftables_if_present(), Ok(Some(_)));
        configured.unwrap_or_else(|| {
            if matches!(Firewalld::find(), Ok(Some(_))) {
                Self::Firewalld
            } else if !is_usable(&nftables) && nftables() {
                Self::Nftables
            } else {
                Self::Iptables
            }
        })
    }

    /// # Errors
    /// Code 50 with the reason why ADD would fail.
    pub(super) fn status(self, filter: &Filter) -> Result<()> {
        let unusable = |cause: Error| {
            let name = match self {
                Self::Iptables => "iptables",
                Self::Nftables => "nftables",
                Self::Firewalld => "firewalld",
            };
            Error::unavailable(format!("the firewall cannot be set up with {name} on this host"))
                .because(cause)
        };
        match self {
            Self::Nftables => {
                let ask = || filter.nftables().and_then(|socket| Ok(socket.try_out(&sets::trial()?)?));
                filter.ask_once("firewall by nftables", ask).map_err(unusable)
            }
            Self::Firewalld => {
                record::status().and_then(|()| Firewalld::running()).map(drop).map_err(unusable)
            }
            Self::Iptables => {
                record::status().map_err(unusable)?;
                // Either family alone is enough: which one the containers will have is not known here.
                let ask = |family| {
                    filter
                        .ask_once(&format!("firewall by {}", Tool::command(family)), || chains::probe(family))
                };
                let probed = Family::ALL.map(ask);
                if probed.iter().any(Result::is_ok) { Ok(()) } else { Error::all(probed).map_err(unusable) }
            }
        }
    }
}
