//! Which of the kernel's packet filters carries the masquerade.

use cni_types::{Error, Family, Result, words};

use super::{chains, given, pods};
use crate::Filter;
use crate::iptables::{Tool, Variant, is_usable, legacy_nat_is_used};

/// What carries the masquerade rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `iptables-restore` and the reference's chains.
    Iptables,
    /// nftables over netlink, without a tool.
    Nftables,
}

words!(Backend { Iptables = "iptables", Nftables = "nftables" });

impl Backend {
    /// The configured backend. If none is configured: iptables, unless it is unusable and nftables is usable. Finds
    /// out without running a tool and without loading a module: iptables counts as usable if `iptables-restore` is
    /// there and so is what it talks to in the kernel. That its extensions are there too shows in [`super::add`].
    pub fn choose(filter: &Filter, configured: Option<Self>) -> Self {
        let nftables = || matches!(filter.nftables_if_present(), Ok(Some(_)));
        configured.unwrap_or_else(|| {
            if !is_usable(&nftables) && nftables() { Self::Nftables } else { Self::Iptables }
        })
    }

    /// What ADD would use.
    ///
    /// # Errors
    /// Code 50 with the reason why ADD would fail.
    pub(super) fn usable(filter: &Filter, configured: Option<Self>) -> Result<Self> {
        let chosen = Self::choose(filter, configured);
        match chosen.status(filter) {
            Err(_) if configured.is_none() && Self::Nftables.status(filter).is_ok() => Ok(Self::Nftables),
            outcome => outcome.map(|()| chosen),
        }
    }

    fn status(self, filter: &Filter) -> Result<()> {
        let (name, usable) = match self {
            Self::Nftables => {
                let ask = || filter.nftables().and_then(|socket| Ok(socket.try_out(&pods::trial()?)?));
                ("nftables", filter.ask_once("masquerade by nftables", ask))
            }
            Self::Iptables => {
                let ask = || Family::ALL.into_iter().try_for_each(chains::probe);
                let usable = given().status().and_then(|()| filter.ask_once("masquerade by iptables", ask));
                ("iptables", usable)
            }
        };
        usable.map_err(|cause| {
            Error::unavailable(format!("masquerading with {name} is not possible on this host"))
                .because(cause)
        })
    }

    pub(super) fn warning(self) -> Option<String> {
        let tool = Tool::find(Family::V4, "restore", false);
        let legacy_is_meant = self == Self::Iptables && tool.is_ok_and(|tool| tool.variant() != Variant::Nft);
        let family = Family::ALL.into_iter().find(|&family| legacy_nat_is_used(family));
        family.filter(|_| !legacy_is_meant).map(|family| {
            let tool = Tool::command(family);
            format!(
                "warning: there is a legacy {tool} nat table beside nf_tables; packets pass both. See \
                 {tool}-legacy-save -t nat"
            )
        })
    }
}
