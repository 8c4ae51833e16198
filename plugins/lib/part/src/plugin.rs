//! A plugin as its lists, and the verbs folded over them.

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin, Undo};
use cni_trace::phase;
use cni_types::{CniResult, Code, Error, Network, Result, SpecVersion, Stale};

use crate::owned::{Owned, Whose};
use crate::part::{Made, Part, Parts};
use crate::site::{Host, Site};

/// A plugin that is nothing but its parts.
pub struct PartPlugin {
    /// Its name, also the `type` in configurations.
    pub name: &'static str,
    /// The versions of the specification it accepts.
    pub versions: &'static [SpecVersion],
    /// Whether it works behind another plugin, whose result it goes on with.
    pub is_chained: bool,
    /// Reads the keys: the parts that the configuration asks for, in the order they are made.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed, code 2 for one that cannot be had,
    /// code 4 for `CNI_ARGS` that cannot be read.
    pub parts: fn(&Network) -> Result<Parts>,
    /// All that the plugin could ever have made, in the order it is taken away. No key is read for it.
    pub owned: &'static [&'static dyn Owned],
}

impl PartPlugin {
    /// A plugin that makes a link, first in its chain, for every version.
    pub const fn of_link(
        name: &'static str,
        parts: fn(&Network) -> Result<Parts>,
        owned: &'static [&'static dyn Owned],
    ) -> Self {
        Self { name, versions: &SpecVersion::ALL, is_chained: false, parts, owned }
    }

    /// What there is before the first part: nothing, or what the plugins before have made.
    fn start(&self, network: &Network) -> Result<Made> {
        let result = if self.is_chained { network.chained_result(self.name)? } else { CniResult::default() };
        Ok(Made { result, ..Made::default() })
    }

    fn remove(&self, whose: &Whose<'_>, delegates: &Delegates) -> Result<()> {
        let host = Host::with(delegates);
        Error::all(self.owned.iter().map(|owned| {
            let _removing = phase(owned.name());
            owned.remove(&host, whose)
        }))
    }
}

impl Plugin for PartPlugin {
    fn about(&self) -> About {
        About { name: self.name, versions: self.versions }
    }

    /// Everything that can be refused is, before anything is made.
    fn add(&self, attachment: &Attachment, delegates: &Delegates) -> Result<CniResult> {
        let parts = (self.parts)(&attachment.network)?;
        let mut made = self.start(&attachment.network)?;
        let site = Site::new(attachment, delegates);
        each(&parts, |part| part.refuse(&site, &mut made))?;
        let mut undo = Undo::new();
        each(&parts, |part| part.add(&site, &mut made, &mut undo))?;
        each(&parts, |part| part.tell(&site, &mut made))?;
        undo.commit();
        Ok(made.result)
    }

    fn check(&self, attachment: &Attachment, delegates: &Delegates) -> Result<()> {
        let parts = (self.parts)(&attachment.network)?;
        let mut made = Made { result: attachment.network.result_of_add()?, ..Made::default() };
        let site = Site::new(attachment, delegates);
        each(&parts, |part| part.check(&site, &mut made))
    }

    fn del(&self, detachment: &Detachment, delegates: &Delegates) -> Result<()> {
        self.remove(&Whose::Attachment(detachment), delegates)
    }

    fn gc(&self, network: &Network, delegates: &Delegates) -> Result<()> {
        let valid = network.valid_attachments()?;
        let owners = &Stale::new(&network.name, &valid);
        self.remove(&Whose::Stale { network, owners }, delegates)
    }

    /// What this host refuses makes the plugin unavailable, whichever part has found out.
    fn status(&self, network: &Network, delegates: &Delegates) -> Result<()> {
        let (parts, host, mut made) = ((self.parts)(network)?, Host::with(delegates), Made::default());
        let asked = each(&parts, |part| part.status(&host, network, &mut made));
        asked.map_err(|error| match error.code {
            Code::IO | Code::NETNS | Code::KERNEL | Code::FILTER => error.with_code(Code::UNAVAILABLE),
            _ => error,
        })
    }
}

/// One after the other, up to the first that fails.
fn each<'p>(parts: &'p Parts, mut act: impl FnMut(&'p dyn Part) -> Result<()>) -> Result<()> {
    parts.iter().try_for_each(|part| {
        let _acting = phase(part.name());
        act(part.as_ref())
    })
}
