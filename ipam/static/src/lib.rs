//! `static`: the addresses that the configuration or the runtime gives.
//!
//! ADD answers with them; nothing is reserved and nobody is asked whether they are free. No state is left on the host,
//! so DEL and GC have nothing to remove. Differs from the reference in that STATUS says what ADD would say about the
//! configuration, and in the codes and wording of errors. See the README.

mod conf;

use std::net::IpAddr;

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin};
use cni_types::{CniResult, Error, Network, Result, SpecVersion};

use conf::Conf;
pub use conf::KEYS;

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Static;

impl Plugin for Static {
    fn about(&self) -> About {
        About { name: "static", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment, _: &Delegates) -> Result<CniResult> {
        let Conf { ips, routes, dns } = Conf::read(&attachment.network)?;
        Ok(CniResult { ips, routes, dns, ..CniResult::default() })
    }

    /// An address that the previous result does not list is no difference, as in the reference: a plugin later in the
    /// chain may have replaced it.
    fn check(&self, attachment: &Attachment, _: &Delegates) -> Result<()> {
        let conf = Conf::read(&attachment.network)?;
        let previous = attachment.network.result_of_add()?;
        for wanted in conf.ips.iter().filter(|ip| ip.gateway.is_some()) {
            let found = previous.ips.iter().find(|ip| ip.address.ip() == wanted.address.ip());
            if let Some(found) = found.filter(|found| found.gateway != wanted.gateway) {
                return Err(Error::check(format!("static: the gateway of {} differs", wanted.address))
                    .because(format!(
                        "expected {}, prevResult has {}",
                        text(wanted.gateway),
                        text(found.gateway)
                    )));
            }
        }
        Ok(())
    }

    /// There is nothing to release, whatever the configuration says.
    fn del(&self, _: &Detachment, _: &Delegates) -> Result<()> {
        Ok(())
    }

    /// There is no state to collect.
    fn gc(&self, _: &Network, _: &Delegates) -> Result<()> {
        Ok(())
    }

    /// ADD needs nothing but a valid configuration. Addresses may come with the attachment, so none is no failure.
    fn status(&self, network: &Network, _: &Delegates) -> Result<()> {
        Conf::read(network).map(drop)
    }
}

/// An address for a message.
fn text(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| "none".to_owned(), |ip| ip.to_string())
}
