//! `dhcp`: addresses leased from a DHCP server.

mod clock;
mod conf;
mod frame;
#[cfg(test)]
mod fuzz;
pub mod gob;
mod lease;
mod message;
pub mod rpc;
mod wanted;

use cni_types::{About, Attachment, CniResult, Detachment, Error, Network, Plugin, Result, SpecVersion};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dhcp;

impl Plugin for Dhcp {
    fn about(&self) -> About {
        About { name: "dhcp", versions: &SpecVersion::ALL }
    }

    fn add(&self, _: &Attachment) -> Result<CniResult> {
        Err(Error::try_again("not there yet"))
    }

    fn check(&self, _: &Attachment) -> Result<()> {
        Ok(())
    }

    fn del(&self, _: &Detachment) -> Result<()> {
        Ok(())
    }

    fn gc(&self, _: &Network) -> Result<()> {
        Ok(())
    }

    fn status(&self, _: &Network) -> Result<()> {
        Ok(())
    }
}
