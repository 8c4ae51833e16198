//! A netfilter netlink socket of the network namespace it was opened in. The kernel works on a request while it is
//! being sent, so an answer is either there at once or never comes: nothing in here waits.

use std::time::{Duration, Instant};

use cni_netlink::{Answer, Errno, Precision, Protocol, Refusal, Socket as Wire};
use cni_types::{Error, Result};

use super::lookup::number;
use super::message::{GENMSG, GETGEN, Message};
use super::{Batch, Refused, TableFamily};

/// `NFTA_GEN_ID`.
const GEN_ID: u16 = 1;
/// How long [`Socket::transact`] starts over while others keep changing the ruleset.
const CONTENTION_LIMIT: Duration = Duration::from_secs(10);

/// The socket.
pub struct Socket {
    wire: Wire,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` when the kernel has no nfnetlink.
    pub fn open() -> std::result::Result<Self, Refused> {
        let wire = Wire::open(Protocol::Netfilter)
            .map_err(|errno| Refused::new(errno, "open a netfilter netlink socket"))?;
        Ok(Self { wire })
    }

    /// The ruleset's generation: every change in the namespace, whoever makes it, gives a new one.
    ///
    /// # Errors
    /// [`Refused::is_absent`] when the kernel has no nf_tables.
    pub fn generation(&self) -> std::result::Result<u32, Refused> {
        let request = Message::new(GETGEN, 0, TableFamily::Inet, "read the ruleset's generation".to_owned());
        let answer = self.ask(std::slice::from_ref(&request))?.pop().flatten();
        let broken = || Refused::new(Errno::EBADMSG, request.act());
        answer.and_then(|attrs| number(&attrs, GEN_ID)).ok_or_else(broken)
    }

    /// Looks up objects by key: the attributes of each, `None` for what is not there.
    ///
    /// # Errors
    /// Any answer but the object or `ENOENT`.
    pub fn ask(&self, requests: &[Message]) -> std::result::Result<Vec<Option<Vec<u8>>>, Refused> {
        let bodies: Vec<_> = requests.iter().map(Message::body).collect();
        let wire: Vec<_> = requests.iter().zip(&bodies).map(|(request, body)| request.wire(body)).collect();
        let answers = self.wire.exchange(&wire).into_iter().zip(requests);
        let found = answers.map(|(answer, request)| match answer {
            Ok(objects) => Ok(objects.into_iter().next().map(attrs)),
            Err(Refusal { errno: Errno::ENOENT, .. }) => Ok(None),
            Err(refusal) => Err(Refused::by(refusal, request.act())),
        });
        found.collect()
    }

    /// Lists objects: the attributes of every one, as they were at one moment. A table, chain or set that does not exist
    /// has none.
    ///
    /// # Errors
    /// `EINTR` when changes kept interrupting it, else the kernel's refusal.
    pub fn dump(&self, request: &Message) -> std::result::Result<Vec<Vec<u8>>, Refused> {
        match self.wire.list(request.wire(&request.body()), Precision::Exact) {
            Ok(objects) => Ok(objects.into_iter().map(attrs).collect()),
            Err(Refusal { errno: Errno::ENOENT, .. }) => Ok(Vec::new()),
            Err(refusal) => Err(Refused::by(refusal, request.act())),
        }
    }

    /// Makes all changes of the batch or none. With a generation, only if the ruleset is still of that one.
    ///
    /// # Errors
    /// The first refused step; `ERESTART` when the generation has passed.
    pub fn commit(&self, batch: &Batch, generation: Option<u32>) -> std::result::Result<(), Refused> {
        self.run(batch, generation, true)
    }

    /// Lets the kernel check the batch without making any change (`nft --check`).
    ///
    /// # Errors
    /// The first refused step.
    pub fn try_out(&self, batch: &Batch) -> std::result::Result<(), Refused> {
        self.run(batch, None, false)
    }

    fn run(&self, batch: &Batch, generation: Option<u32>, commit: bool) -> std::result::Result<(), Refused> {
        if batch.is_empty() {
            return Ok(());
        }
        let first = self.wire.number(batch.steps().len() + 2);
        let (out, last) = batch.encode(first, generation, commit);
        let name = |errno| Refused::new(errno, "change the ruleset");
        self.wire.send(&out).map_err(name)?;
        let mut refused: Option<Refused> = None;
        let mut done = false;
        while !done {
            let received = self.wire.receive(&mut |answer| {
                let Answer::Done { sequence, errno, text, .. } = answer else { return };
                let index = sequence.wrapping_sub(first);
                if index > last - first {
                    return;
                }
                // The begin only answers to refuse the batch as a whole.
                done |= sequence == last || index == 0;
                let step = batch.steps().get((index as usize).wrapping_sub(1));
                if let (Some(errno), None) = (errno, &refused) {
                    let act = step.map_or("change the ruleset", Message::act);
                    refused = Some(Refused { errno, act: act.to_owned(), text: text.to_owned() });
                }
            });
            match received {
                // More steps were refused than there is room for answers: the first is known.
                Err(Errno::EAGAIN | Errno::ENOBUFS) if refused.is_some() => break,
                received => received.map_err(name)?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Reads, decides, writes: `decide` looks at the ruleset and says what to change; if anything else changed in
    /// between, it is asked again. So a decision is never carried out on a ruleset it was not made for, without
    /// a lock. An empty batch ends it.
    ///
    /// # Errors
    /// Those of `decide` and [`Socket::commit`]; code 11 when others kept changing the ruleset for 10 s.
    pub fn transact(&self, mut decide: impl FnMut(&Self) -> Result<Batch>) -> Result<()> {
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

/// The attributes behind the `struct nfgenmsg`.
fn attrs(mut body: Vec<u8>) -> Vec<u8> {
    body.drain(..GENMSG.min(body.len()));
    body
}
