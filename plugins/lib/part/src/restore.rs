//! Putting back what somebody took from an attachment whose container lives on: a flushed packet filter, sysctls of the
//! node set anew, a qdisc replaced. Each part is asked what CHECK asks, and what differs is made as ADD makes it.
//! Nothing is removed, and a part that is as it was made is left alone.
//!
//! Attachments that are restored on one [`Host`] whose packet filter gathers (`Filter::gather`) share looks and
//! changes: what then waits is in the kernel when the filter has settled, and not before.

use std::rc::Rc;

use cni_skel::{Attachment, Undo};
use cni_types::{Code, Doing, Error, Failures, Result};

use crate::part::{Made, Part, Restoring};
use crate::plugin::PartPlugin;
use crate::site::{Host, Site};

/// What became of one attachment.
#[derive(Debug, Default)]
pub struct Restored {
    /// The parts that were not as ADD made them, and are again.
    pub put_back: Vec<&'static str>,
    /// Whether some of it waits in the packet filter.
    pub waits: bool,
    /// What could not be put back, and why.
    pub failed: Option<Error>,
}

impl PartPlugin {
    /// Puts back what is missing. The configuration needs the result of ADD, as for CHECK.
    pub fn restore(&self, attachment: &Attachment, host: &Rc<Host>) -> Restored {
        let mut restored = Restored::default();
        restored.failed = self.restore_parts(attachment, host, &mut restored).err();
        restored
    }

    fn restore_parts(&self, attachment: &Attachment, host: &Rc<Host>, restored: &mut Restored) -> Result<()> {
        let parts = (self.parts)(&attachment.network)?;
        let mut made = Made { result: attachment.network.result_of_add()?, ..Made::default() };
        let site = Site::on(Rc::clone(host), attachment);
        let mut failures = Failures::new();
        for part in &parts {
            let part = part.as_ref();
            match part.restoring() {
                Restoring::PassOver => {}
                Restoring::MakeAnew => part.check(&site, &mut made)?,
                Restoring::PutBack => {
                    let found = restore(part, &site, &mut made);
                    let found =
                        failures.note(found.doing(format_args!("cannot put back the {}", part.name())));
                    if matches!(found, Some(Found::Missing | Found::Waits)) {
                        restored.put_back.push(part.name());
                    }
                    restored.waits |= matches!(found, Some(Found::Waits));
                }
            }
        }
        failures.fold()
    }

    /// What is to be done for an attachment of which something waited, when that is in the kernel.
    ///
    /// # Errors
    /// What could not be done, and why.
    pub fn settled(&self, attachment: &Attachment, host: &Rc<Host>) -> Result<()> {
        let parts = (self.parts)(&attachment.network)?;
        let mut made = Made { result: attachment.network.result_of_add()?, ..Made::default() };
        let site = Site::on(Rc::clone(host), attachment);
        let put_back = parts.iter().filter(|part| part.restoring() == Restoring::PutBack);
        Error::all(put_back.map(|part| part.settled(&site, &mut made)))
    }
}

/// How a part was found.
enum Found {
    Whole,
    /// It was put back.
    Missing,
    /// It is put back when the packet filter settles.
    Waits,
}

fn restore<'a>(part: &'a dyn Part, site: &'a Site<'a>, made: &mut Made) -> Result<Found> {
    match part.check(site, made) {
        Ok(()) => return Ok(Found::Whole),
        Err(error) if error.code == Code::CHECK => {}
        Err(error) => return Err(error),
    }
    part.refuse(site, made)?;
    let waited = site.host.filter().waited();
    let mut undo = Undo::new();
    let restored = part.restore(site, made, &mut undo);
    undo.commit();
    restored?;
    if site.host.filter().waited() > waited {
        return Ok(Found::Waits);
    }
    part.settled(site, made)?;
    part.check(site, made).map(|()| Found::Missing)
}
