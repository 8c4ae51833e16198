//! `dhcp`: addresses leased from a DHCP server.
//!
//! A lease has to be renewed as long as the container lives, which a plugin does not. So `dhcp daemon` asks servers,
//! from inside the container's namespace, and keeps the leases; the plugin asks the daemon. On the host the daemon
//! leaves a socket and beside it a directory with one file per lease, by which leases survive the daemon. DEL releases
//! the lease and removes its file, GC does so for attachments that are not valid any more; without a daemon the plugin
//! does it itself. Differs from the reference in that leases outlive the daemon, DEL needs none, CHECK acquires
//! nothing, the release comes from the leased address, and a lease that is over takes the address away instead of the
//! whole interface. See the README.

mod client;
mod clock;
mod conf;
mod daemon;
mod frame;
#[cfg(test)]
mod fuzz;
pub mod gob;
mod lease;
mod message;
mod offline;
mod packet;
mod place;
mod query;
mod record;
mod release;
pub mod rpc;
mod state;
mod wanted;
mod wire;

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin, tell};
use cni_types::{CniResult, Code, Error, Network, Result, SpecVersion};

use client::Daemon;
pub use conf::KEYS;
use place::whole;
use wire::Request;

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dhcp;

impl Plugin for Dhcp {
    fn about(&self) -> About {
        About { name: "dhcp", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment, _: &Delegates) -> Result<CniResult> {
        let Attachment { id, network, .. } = attachment;
        let wanted = conf::read(network.json(), network.args.as_str())?;
        let netns = whole(&attachment.netns)?;
        daemon_of(network).lease(&Request::Add(id.clone(), netns, wanted), attachment)
    }

    /// The daemon must hold the lease, and the addresses must be those of the previous result. Nothing is acquired.
    fn check(&self, attachment: &Attachment, _: &Delegates) -> Result<()> {
        let Attachment { id, network, .. } = attachment;
        conf::read(network.json(), network.args.as_str())?;
        let previous = network.result_of_add()?;
        let netns = whole(&attachment.netns)?;
        let held = daemon_of(network).lease(&Request::Check(id.clone(), netns), attachment)?;
        for ip in &held.ips {
            let found = previous.ips.iter().find(|there| there.address == ip.address);
            let found = found.ok_or_else(|| {
                Error::check(format!("dhcp: the lease is for {}, which prevResult does not have", ip.address))
            })?;
            if ip.gateway.is_some() && found.gateway != ip.gateway {
                return Err(Error::check(format!("dhcp: the gateway of {} differs", ip.address))
                    .because(format!("the lease has {:?}, prevResult {:?}", ip.gateway, found.gateway)));
            }
        }
        Ok(())
    }

    /// Without a daemon that answers, the plugin releases the lease itself, or leaves the order to.
    fn del(&self, detachment: &Detachment, _: &Delegates) -> Result<()> {
        daemon_of(&detachment.network).release(detachment)
    }

    fn gc(&self, network: &Network, _: &Delegates) -> Result<()> {
        let valid = network.valid_attachments()?;
        daemon_of(network).collect(&network.name, &valid)
    }

    fn status(&self, network: &Network, _: &Delegates) -> Result<()> {
        conf::read(network.json(), "")?;
        let status = daemon_of(network).status();
        status.map_err(|error| error.with_code(Code::UNAVAILABLE))
    }
}

fn daemon_of(network: &Network) -> Daemon {
    Daemon::at(conf::socket_path(network.json()))
}

/// `dhcp daemon` with these flags; the exit status.
pub fn daemon_main(arguments: &[String]) -> u8 {
    let (text, status) = match daemon::Flags::read(arguments) {
        Ok(flags) => match daemon::run(flags) {
            Ok(()) => return 0,
            Err(error) => (format!("dhcp daemon: {error}\n"), 1),
        },
        Err(daemon::Usage::Asked) => (daemon::HELP.to_owned(), 0),
        Err(daemon::Usage::Wrong(why)) => (format!("{why}\n{}", daemon::HELP), 2),
    };
    tell(text.trim_end());
    status
}
