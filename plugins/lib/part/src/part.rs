//! One part of an attachment.

use cni_net::Link;
use cni_skel::Undo;
use cni_types::{CniResult, Code, Error, Interface, Network, Result};

use crate::owned::Owned;
use crate::site::{Host, Site};

/// What parts tell those behind them in the list: in ADD what is made, in CHECK and STATUS what was found.
#[derive(Debug, Default)]
pub struct Made {
    /// ADD: the result so far. CHECK: the one ADD gave.
    pub result: CniResult,
    /// The bridge that the host end is a port of.
    pub bridge: Option<Link>,
    /// The host end of the container's pair.
    pub host_end: Option<Link>,
    /// The container's interface.
    pub container: Option<Link>,
    /// The host's link that gateways are on.
    pub uplink: Option<Link>,
}

impl Made {
    /// The container's interface.
    ///
    /// # Errors
    /// Code 999 when no part before has made one: a defect of the list.
    pub fn container(&self) -> Result<&Link> {
        required(self.container.as_ref(), "the container's interface")
    }

    /// The host end of the container's pair.
    ///
    /// # Errors
    /// As [`Made::container`].
    pub fn host_end(&self) -> Result<&Link> {
        required(self.host_end.as_ref(), "the host end")
    }

    /// The bridge.
    ///
    /// # Errors
    /// As [`Made::container`].
    pub fn bridge(&self) -> Result<&Link> {
        required(self.bridge.as_ref(), "the bridge")
    }

    /// Says in the result that there is the container's interface, and that the addresses are on it.
    pub fn tell_container(&mut self, entry: Interface) {
        let at = i64::try_from(self.result.interfaces.len()).ok();
        self.result.ips.iter_mut().for_each(|ip| ip.interface = at);
        self.result.interfaces.push(entry);
    }
}

fn required<'m>(link: Option<&'m Link>, what: &str) -> Result<&'m Link> {
    link.ok_or_else(|| Error::new(Code::INTERNAL, format!("no part of the plugin has made {what}")))
}

/// What a configuration asks for, in the order it is made.
pub type Parts = Vec<Box<dyn Part>>;

/// What restoring does about a part that is not as ADD made it, while its container lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// [`Part::restore`] puts back what is missing.
    PutBack,
    /// It is not looked at: it is within the container or another plugin's, where nothing of the host takes it away.
    PassOver,
    /// It is what makes the attachment this one: where it differs, nothing behind it is put back.
    MakeAnew,
}

/// One thing that a configuration asks for. What an attachment does not own but shares (a bridge, its gateway's
/// address) is a part too: it is made and checked like any other, and stays.
pub trait Part {
    /// What it is, as operators say.
    fn name(&self) -> &'static str;

    /// What of it belongs to the attachment, so that DEL and GC take it away; `None` for what is shared, or goes with
    /// the container.
    fn owned(&self) -> Option<&'static dyn Owned>;

    /// ADD, before any part is made: refuses what can be refused by looking.
    ///
    /// # Errors
    /// Why ADD would fail.
    fn refuse(&self, _site: &Site<'_>, _made: &mut Made) -> Result<()> {
        Ok(())
    }

    /// ADD: makes it, and registers in `undo`, right next to each act, how to take back what this ADD has made and
    /// nothing else.
    ///
    /// # Errors
    /// What could not be made, and why.
    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()>;

    /// ADD, when every part is made: says in the result what there is.
    ///
    /// # Errors
    /// When the kernel refuses to say.
    fn tell(&self, _site: &Site<'_>, _made: &mut Made) -> Result<()> {
        Ok(())
    }

    /// CHECK: compares it with the configuration and the result ADD gave.
    ///
    /// # Errors
    /// Code 103 with the first difference.
    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()>;

    /// What restoring does about it.
    fn restoring(&self) -> Restoring {
        Restoring::MakeAnew
    }

    /// Puts back what is missing of a part that [`Part::check`] finds different, and takes nothing away that is in use.
    /// What it registers in `undo` is never run: half of it back is better than none.
    ///
    /// # Errors
    /// What could not be made, and why.
    fn restore<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        self.add(site, made, undo)
    }

    /// What is to be done when what [`Part::restore`] has made is in the kernel: the packet filter may have let it wait
    /// for that of others.
    ///
    /// # Errors
    /// What could not be done, and why.
    fn settled(&self, _site: &Site<'_>, _made: &mut Made) -> Result<()> {
        Ok(())
    }

    /// STATUS: asks for what [`Part::add`] would need.
    ///
    /// # Errors
    /// Code 50 with the reason why ADD would fail.
    fn status(&self, host: &Host, network: &Network, made: &mut Made) -> Result<()>;
}
