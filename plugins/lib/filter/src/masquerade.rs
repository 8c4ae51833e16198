//! Source NAT for what leaves an attachment's own subnet.

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, Code, Error, NetworkName, Result};

use crate::Filter;

/// What carries the masquerade rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `iptables-restore` and the reference's chains.
    Iptables,
    /// nftables over netlink, without a tool.
    Nftables,
}

impl Backend {
    /// Reads the configuration's `ipMasqBackend`.
    ///
    /// # Errors
    /// Code 7 for anything but `iptables` and `nftables`.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "iptables" => Ok(Self::Iptables),
            "nftables" => Ok(Self::Nftables),
            other => Err(Error::config(format!(
                "invalid ipMasqBackend {}: it must be \"iptables\" or \"nftables\"",
                cni_types::excerpt(other)
            ))),
        }
    }

    /// The configured backend, or iptables unless only nftables is usable.
    pub fn choose(_filter: &Filter, configured: Option<Self>) -> Self {
        configured.unwrap_or(Self::Iptables)
    }
}

fn missing() -> Error {
    Error::new(Code::FILTER, "masquerade is not built yet")
}

/// Masquerades what the attachment sends from `ips` to anything outside the address's own network.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when its lock is held too long.
pub fn add(_filter: &Filter, _backend: Backend, _id: &AttachmentId, _ips: &[Cidr]) -> Result<()> {
    Err(missing())
}

/// Whether every address is masqueraded, by whichever layout.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn check(_filter: &Filter, _backend: Backend, _id: &AttachmentId, _ips: &[Cidr]) -> Result<()> {
    Err(missing())
}

/// Removes the attachment's masquerade in every layout. `hints` are addresses it probably had; none are needed.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when its lock is held too long.
pub fn remove(_filter: &Filter, _id: &AttachmentId, _hints: &[IpAddr]) -> Result<()> {
    Err(missing())
}

/// Removes the masquerade of all attachments of `network` that are not in `valid`.
///
/// # Errors
/// As [`remove`]; all removals are tried.
pub fn collect(_filter: &Filter, _network: &NetworkName, _valid: &[AttachmentId]) -> Result<()> {
    Err(missing())
}

/// Whether [`add`] could work on this host.
///
/// # Errors
/// Code 50 with the reason.
pub fn status(_filter: &Filter, _backend: Backend) -> Result<()> {
    Err(missing())
}
