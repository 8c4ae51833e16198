//! What the delegate makes, and the configuration saved for taking it away, as a part. The delegate and its
//! configuration depend on the node's subnet at the time, so each verb reads them by itself.

use cni_part::{Held, Host, Made, Owned, Part, Site, Whose};
use cni_skel::Undo;
use cni_skel::delegate::{Verb, find, read_result};
use cni_types::{Error, Json, Network, Result, Stale};

use crate::delegate::Delegate;
use crate::saved::{Saved, SavedConf};
use crate::{del, status};

pub(crate) struct Delegation;

pub(crate) static SAVED: SavedDelegates = SavedDelegates;

impl Part for Delegation {
    fn name(&self) -> &'static str {
        SAVED.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&SAVED)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (id, network) = (&site.attachment.id, &site.attachment.network);
        let (delegate, delegates) = (Delegate::of(network)?, &site.host.delegates);
        // What cannot begin has nothing to take back, and must not take back an attachment that stands.
        find(&delegate.plugin, &network.cni_path)?;
        site.refuse_taken()?;
        let saved = Saved::of(network);
        // The delegate refuses a second ADD. Its DEL would remove what the first has made.
        let is_repeated = matches!(saved.find(id)?, SavedConf::Read(..));
        let (name, replaced) = saved.write(id, &delegate)?;
        let taken_back = delegate.clone();
        undo.push(format!("run the DEL of {}", delegate.plugin), move || {
            if !is_repeated {
                taken_back.run(delegates, Verb::Del, network)?;
            }
            match replaced {
                Some(first) => saved.write(id, &first).map(drop),
                None => saved.remove_if_present(id, &name),
            }
        });
        let answer = delegate.run(delegates, Verb::Add, network)?;
        made.result = read_result(&format!("plugin {}", delegate.plugin), &answer, network.version)?;
        Ok(())
    }

    fn check(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        let network = &site.attachment.network;
        let delegate = match Saved::of(network).find(&site.attachment.id)? {
            SavedConf::Read(_, delegate) => delegate,
            SavedConf::Unreadable(_, error) => {
                return Err(Error::check("the saved configuration is none")
                    .because("make the container anew")
                    .because(error));
            }
            SavedConf::Nothing => {
                return Err(Error::check("there is no saved configuration of the attachment")
                    .because("a DEL would not know what to remove: make the container anew"));
            }
        };
        let version = Json::String(network.version.to_string());
        let delegate = delegate.with("cniVersion", &version);
        let delegate =
            network.json().get("prevResult").into_iter().fold(delegate, |d, r| d.with("prevResult", r));
        delegate.run(&site.host.delegates, Verb::Check, network).map(drop)
    }

    fn status(&self, host: &Host, network: &Network, _made: &mut Made) -> Result<()> {
        status::status(&host.delegates, network)
    }
}

/// The saved configurations, each with what its delegate has made.
pub(crate) struct SavedDelegates;

impl Owned for SavedDelegates {
    fn name(&self) -> &'static str {
        "delegate"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => del::del(&host.delegates, detachment),
            Whose::Stale { network, owners } => del::gc(&host.delegates, network, owners),
        }
    }

    fn held(&self, _host: &Host, network: &Network) -> Result<Vec<Held>> {
        Saved::of(network).held(&Stale::all(&network.name)).map(Held::list)
    }
}
