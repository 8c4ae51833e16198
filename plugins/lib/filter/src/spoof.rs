//! MAC spoof check: a bridge port may send from its container's MAC address only.

use cni_types::{AttachmentId, Code, Error, IfName, Mac, NetworkName, Result};

use crate::Filter;

fn missing() -> Error {
    Error::new(Code::FILTER, "the MAC spoof check is not built yet")
}

/// Drops frames from `port` (the host end) whose source is not `mac`.
///
/// # Errors
/// Code 101 when nftables refuses.
pub fn add(_filter: &Filter, _id: &AttachmentId, _port: &IfName, _mac: Mac) -> Result<()> {
    Err(missing())
}

/// Whether the rules of [`add`] are there.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn check(_filter: &Filter, _id: &AttachmentId, _port: &IfName, _mac: Mac) -> Result<()> {
    Err(missing())
}

/// Removes the attachment's rules and chains.
///
/// # Errors
/// Code 101 when nftables refuses.
pub fn remove(_filter: &Filter, _id: &AttachmentId) -> Result<()> {
    Err(missing())
}

/// Removes the rules and chains of all attachments of `network` that are not in `valid`.
///
/// # Errors
/// As [`remove`].
pub fn collect(_filter: &Filter, _network: &NetworkName, _valid: &[AttachmentId]) -> Result<()> {
    Err(missing())
}
