//! A netfilter netlink socket of the network namespace it was opened in. The kernel works on a request while it is
//! being sent, so an answer is either there at once or never comes: nothing in here waits.

use std::rc::Rc;
use std::time::{Duration, Instant};

use cni_netlink::{Errno, Precision, Protocol, Refused, Request, Socket as Wire};
use cni_types::{Error, Result};

use super::lookup::number;
use super::message::{GETGEN, SUBSYSTEM, attrs, request};
use super::{Batch, Layout, Rule, Table, TableFamily};
use crate::gathered::{Gathered, Listed, Ruleset};

/// `NFTA_GEN_ID`.
const GEN_ID: u16 = 1;
/// How long [`Socket::transact`] starts over while others keep changing the ruleset.
const CONTENTION_LIMIT: Duration = Duration::from_secs(10);

/// The socket.
pub struct Socket {
    wire: Wire,
    gathered: Rc<Gathered>,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` when the kernel has no nfnetlink.
    pub fn open() -> std::result::Result<Self, Refused> {
        Self::gathering(Rc::default())
    }

    /// The same for a filter that gathers.
    pub(crate) fn gathering(gathered: Rc<Gathered>) -> std::result::Result<Self, Refused> {
        Ok(Self { wire: Wire::open(Protocol::Nftables)?, gathered })
    }

    /// The ruleset's generation: every change in the namespace, whoever makes it, gives a new one.
    ///
    /// # Errors
    /// [`Refused::is_absent`] when the kernel has no nf_tables.
    pub fn generation(&self) -> std::result::Result<u32, Refused> {
        let request = request(GETGEN, 0, TableFamily::Inet, "read the ruleset's generation".to_owned());
        let answer = self.wire.look_up(&request)?;
        let broken = || Refused::new(Protocol::Nftables, &request.doing, Errno::EBADMSG);
        answer.first().and_then(|object| number(attrs(object), GEN_ID)).ok_or_else(broken)
    }

    /// Looks up objects by key: the attributes of each, `None` for what is not there.
    ///
    /// # Errors
    /// Any answer but the object or `ENOENT`.
    pub fn ask(&self, requests: &[Request]) -> std::result::Result<Vec<Option<Vec<u8>>>, Refused> {
        let found = self.wire.ask(requests).into_iter().map(|answer| match answer {
            Ok(objects) => Ok(objects.first().map(|object| attrs(object).to_vec())),
            Err(refused) if refused.errno == Errno::ENOENT => Ok(None),
            Err(refused) => Err(refused),
        });
        found.collect()
    }

    /// Lists objects: the attributes of every one, as they were at one moment. A table, chain or set that does not exist
    /// has none.
    ///
    /// # Errors
    /// `EINTR` when changes kept interrupting it, else the kernel's refusal.
    pub fn dump(&self, request: &Request) -> std::result::Result<Listed, Refused> {
        self.gathered.list(request, || {
            match self.wire.list(request, Precision::Exact, |object| Some(attrs(object).to_vec())) {
                Err(refused) if refused.errno == Errno::ENOENT => Ok(Vec::new()),
                answer => answer,
            }
        })
    }

    /// How the kernel's rules of the table differ from its layout, in words; looked at once while changes are gathered.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses to say.
    pub fn deviations(&self, table: Table<'_>, text: &str) -> Result<Rc<Vec<String>>> {
        self.look(text, || Ok(Layout::read(text)?.deviations(&self.dump(&Rule::list(table, None))?)))
    }

    /// What `look` finds, or has found since changes are gathered; `what` is what it is known by.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn look<T: 'static>(&self, what: &str, look: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        self.gathered.look(what, look)
    }

    /// What makes the layout anew where the rules of its table differ from it: nothing in the common case.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses to say.
    pub fn repair(&self, table: Table<'_>, text: &str) -> Result<Batch> {
        if self.deviations(table, text)?.is_empty() {
            return Ok(Batch::new());
        }
        Ok(Batch::of(Layout::read(text)?.make()).share())
    }

    /// Whether what was looked at is not looked at again, since changes are gathered.
    pub fn gathers(&self) -> bool {
        self.gathered.is_on()
    }

    /// Makes all changes of the batch or none. With a generation, only if the ruleset is still of that one.
    ///
    /// # Errors
    /// The first refused step; `ERESTART` when the generation has passed.
    pub fn commit(&self, batch: &Batch, generation: Option<u32>) -> std::result::Result<(), Refused> {
        self.wire.commit(SUBSYSTEM, batch.steps(), generation)
    }

    /// Lets the kernel check the batch without making any change (`nft --check`).
    ///
    /// # Errors
    /// The first refused step.
    pub fn try_out(&self, batch: &Batch) -> std::result::Result<(), Refused> {
        self.wire.try_out(SUBSYSTEM, batch.steps())
    }

    /// Reads, decides, writes: `decide` looks at the ruleset and says what to change; if anything else changed in
    /// between, it is asked again. So a decision is never carried out on a ruleset it was not made for, without
    /// a lock. An empty batch ends it. While changes are gathered, it waits for the others.
    ///
    /// # Errors
    /// Those of `decide` and [`Socket::commit`]; code 11 when others kept changing the ruleset for 10 s.
    pub fn transact(&self, mut decide: impl FnMut(&Self) -> Result<Batch>) -> Result<()> {
        if !self.gathered.is_on() {
            return self.transact_now(&mut decide);
        }
        let batch = decide(self)?;
        if batch.is_shared() {
            return self.gathered.at_once(Some(self), || self.transact_now(&mut decide));
        }
        self.gathered.push(batch);
        Ok(())
    }

    fn transact_now(&self, decide: &mut dyn FnMut(&Self) -> Result<Batch>) -> Result<()> {
        let deadline = Instant::now() + CONTENTION_LIMIT;
        loop {
            let generation = self.generation()?;
            let batch = decide(self)?;
            match self.commit(&batch, Some(generation)) {
                Err(refused) if refused.errno != Errno::ERESTART => return Err(refused.into()),
                Ok(()) => return Ok(()),
                Err(_) if Instant::now() < deadline => {}
                Err(_) => {
                    return Err(Error::try_again(
                        "the nftables ruleset kept changing for 10 s: something writes to it without a pause",
                    ));
                }
            }
        }
    }

    /// What went over the socket so far: messages sent, bytes received.
    pub fn traffic(&self) -> (u32, usize) {
        (self.wire.numbered(), self.wire.received())
    }
}

impl Ruleset for Socket {
    fn generation(&self) -> Option<u32> {
        self.generation().ok()
    }

    fn commit(&self, batch: &Batch, generation: Option<u32>) -> Result<()> {
        Ok(self.commit(batch, generation)?)
    }
}
