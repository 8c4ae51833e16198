//! `flannel`: joins the containers of a cluster's nodes, through another plugin that does the work on this node.
//!
//! flanneld gives every node a part of the cluster's network and writes it to `subnet.env`. ADD builds the delegate's
//! configuration from that and its own, saves it and runs the delegate (`bridge`, if nothing else is said).
//!
//! Host state: the saved configuration, `<dataDir>/<container id>`, or `<dataDir>/:<hashes>` for further attachments of
//! the container; and what the delegate makes. DEL runs the delegate's DEL with what was saved and then removes it; it
//! needs no `subnet.env`. GC does the same for attachments that are no longer valid, then runs the delegate's GC.
//!
//! Differs from the reference: see README.md.

mod conf;
mod del;
mod delegate;
mod flanneld;
mod object;
mod saved;
mod status;
mod subnet;

use cni_net::{Netns, Rtnl};
use cni_skel::delegate::{Verb, find, read_result};
use cni_skel::{About, Attachment, Detachment, Plugin, Undo};
use cni_types::{CniResult, Error, Json, Network, Result, SpecVersion};

use delegate::Delegate;
use saved::{Found, Saved};

/// The plugin.
pub struct Flannel;

impl Plugin for Flannel {
    fn about(&self) -> About {
        About { name: "flannel", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        let (id, network) = (&attachment.id, &attachment.network);
        let delegate = Delegate::of(network)?;
        // What cannot begin has nothing to take back, and must not take back an attachment that stands.
        find(&delegate.plugin, &network.cni_path)?;
        let netns = Netns::open(&attachment.netns)?;
        Rtnl::open_in(&netns)?.refuse_taken(&id.ifname, &netns)?;

        let saved = Saved::of(network);
        // The delegate refuses a second ADD. Its DEL would remove what the first has made.
        let is_repeated = matches!(saved.find(id)?, Found::Conf(..));
        let (name, replaced) = saved.write(id, &delegate)?;
        let mut undo = Undo::new();
        let taken_back = delegate.clone();
        undo.push(format!("run the DEL of {}", delegate.plugin), move || {
            if !is_repeated {
                taken_back.run(Verb::Del, network)?;
            }
            match replaced {
                Some(first) => saved.write(id, &first).map(drop),
                None => saved.remove_if_present(id, &name),
            }
        });
        let answer = delegate.run(Verb::Add, network)?;
        let result = read_result(&format!("plugin {}", delegate.plugin), &answer, network.version)?;
        undo.commit();
        Ok(result)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        let network = &attachment.network;
        let delegate = match Saved::of(network).find(&attachment.id)? {
            Found::Conf(_, delegate) => delegate,
            Found::Unreadable(_, error) => {
                return Err(Error::check("the saved configuration is none")
                    .because("make the container anew")
                    .because(error));
            }
            Found::Nothing => {
                return Err(Error::check("there is no saved configuration of the attachment")
                    .because("a DEL would not know what to remove: make the container anew"));
            }
        };
        let version = Json::String(network.version.to_string());
        let delegate = delegate.with("cniVersion", &version);
        let delegate =
            network.json().get("prevResult").into_iter().fold(delegate, |d, r| d.with("prevResult", r));
        delegate.run(Verb::Check, network).map(drop)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        del::del(detachment)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        del::gc(network)
    }

    fn status(&self, network: &Network) -> Result<()> {
        status::status(network)
    }
}
