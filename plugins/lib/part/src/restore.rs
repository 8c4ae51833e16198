//! Putting back what somebody took from an attachment whose container lives on: a flushed packet filter, sysctls of the
//! node set anew, a qdisc replaced. Each part is asked what CHECK asks, and what differs is made as ADD makes it. Nothing
//! is removed, and a part that is as it was made is left alone.

use cni_skel::{Attachment, Delegates, Undo};
use cni_types::{Code, Doing, Error, Failures, Result};

use crate::part::{Made, Part, Restoring};
use crate::plugin::PartPlugin;
use crate::site::Site;

/// What became of one attachment.
#[derive(Debug, Default)]
pub struct Restored {
    /// The parts that were not as ADD made them, and are again.
    pub put_back: Vec<&'static str>,
    /// What could not be put back, and why.
    pub failed: Option<Error>,
}

impl PartPlugin {
    /// Puts back what is missing. The configuration needs the result of ADD, as for CHECK.
    pub fn restore(&self, attachment: &Attachment) -> Restored {
        let mut put_back = Vec::new();
        let failed = self.restore_parts(attachment, &mut put_back).err();
        Restored { put_back, failed }
    }

    fn restore_parts(&self, attachment: &Attachment, put_back: &mut Vec<&'static str>) -> Result<()> {
        let parts = (self.parts)(&attachment.network)?;
        let mut made = Made { result: attachment.network.result_of_add()?, ..Made::default() };
        let site = Site::new(attachment, &Delegates::default());
        let mut failures = Failures::new();
        for part in &parts {
            let part = part.as_ref();
            match part.restoring() {
                Restoring::PassOver => {}
                Restoring::MakeAnew => part.check(&site, &mut made)?,
                Restoring::PutBack => {
                    let restored = restore(part, &site, &mut made);
                    let restored = restored.doing(format_args!("cannot put back the {}", part.name()));
                    if failures.note(restored) == Some(true) {
                        put_back.push(part.name());
                    }
                }
            }
        }
        failures.fold()
    }
}

/// Whether there was something to put back.
fn restore<'a>(part: &'a dyn Part, site: &'a Site<'a>, made: &mut Made) -> Result<bool> {
    match part.check(site, made) {
        Ok(()) => return Ok(false),
        Err(error) if error.code == Code::CHECK => {}
        Err(error) => return Err(error),
    }
    part.refuse(site, made)?;
    let mut undo = Undo::new();
    let restored = part.restore(site, made, &mut undo);
    undo.commit();
    restored?;
    part.check(site, made).map(|()| true)
}
