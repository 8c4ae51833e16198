//! Lists, and which of them are good enough.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::request::{Answered, Message};
use crate::{Refused, Request, Socket};

/// How often a list that need not be exact is asked for, when changes interrupt it.
const ROUGH_TRIES: u32 = 5;
/// How long a list that has to be exact is started over.
const EXACT_LIMIT: Duration = Duration::from_secs(5);

/// How good a list has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As it was at one moment: what is not in it is not there.
    Exact,
    /// For counting, and for finding by a tag what nobody else touches: of the objects that come and go meanwhile, some
    /// may be missing or twice.
    Rough,
}

impl Socket {
    /// Lists objects: what `decode` makes of each, which is the bytes behind the netlink header. A list that a change
    /// interrupts, or that has a datagram larger than the buffer, is read to its end and started over: an exact one for
    /// up to five seconds; a rough one that is interrupted is taken as it is after a few times.
    ///
    /// # Errors
    /// `EINTR` when it was never whole, else the kernel's refusal.
    pub fn list<T>(
        &self,
        request: &Request,
        precision: Precision,
        mut decode: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Refused> {
        let mut found = Vec::new();
        self.read_list(request, precision, &mut |object| match object {
            Some(object) => found.extend(decode(object)),
            None => found.clear(),
        })?;
        Ok(found)
    }

    /// Every object is `heard`; `None` forgets those so far.
    fn read_list(
        &self,
        request: &Request,
        precision: Precision,
        heard: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Refused> {
        let message = Message { request, answer: Answered::List };
        let refused = |errno| Refused::new(self.protocol(), &request.doing, errno);
        let deadline = Instant::now() + EXACT_LIMIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.converse(&[message], &mut |_, object| heard(Some(object))).pop();
            let outcome = outcome.unwrap_or_default();
            let (is_interrupted, is_cut) = (outcome.is_interrupted, outcome.is_cut);
            match outcome.end() {
                Err(refused) if refused.errno == Errno::EINTR => {}
                Err(refused) => return Err(refused),
                Ok(()) if !is_interrupted && !is_cut => return Ok(()),
                Ok(()) if !is_cut && precision == Precision::Rough && tries >= ROUGH_TRIES => return Ok(()),
                Ok(()) => {}
            }
            if Instant::now() >= deadline {
                return Err(refused(Errno::EINTR));
            }
            heard(None);
        }
    }
}
