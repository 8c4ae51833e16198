//! The life of a lease (RFC 2131, section 4.4) without a clock or a socket of its own: whoever drives it says what time
//! it is and what came in, and does what it says.

mod acquire;
mod maintain;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::time::Duration;

use cni_types::Mac;

use super::{Binding, Timing};
use crate::clock::Random;
use crate::message::reply::Ignored;
use crate::message::{Kind, Reply};

/// The first pause; each next one is twice as long. The RFC says 4 s, for networks of its time: a container waits for
/// this, and the first packet is often lost because a bridge port is not up yet.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What the driver has to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// Remember that this may be ours from now on.
    Draft(Offer),
    Send(Send),
    /// The lease is there, or goes on.
    Bound(Box<Binding>),
    /// It is over.
    Ended(End),
}

/// An address a server has offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) address: Ipv4Addr,
    pub(crate) server: Ipv4Addr,
    pub(crate) server_mac: Option<Mac>,
}

/// A message to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Send {
    pub(crate) kind: Kind,
    pub(crate) xid: u32,
    pub(crate) secs: u16,
    /// The address held, which the message comes from.
    pub(crate) ciaddr: Option<Ipv4Addr>,
    /// Option 50.
    pub(crate) requested: Option<Ipv4Addr>,
    /// Option 54.
    pub(crate) server: Option<Ipv4Addr>,
    /// To this server alone; `None`: to everybody.
    pub(crate) to: Option<(Ipv4Addr, Option<Mac>)>,
}

/// Why a lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing came of the acquisition; what was heard meanwhile.
    NoMoreTries(String),
    /// No server has renewed it in time.
    Expired,
    /// A server has refused to renew it, and it was not to be had again.
    Refused(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeasePhase {
    /// DISCOVER is being sent.
    Discovering,
    /// An offer is being asked for, until then.
    Requesting(Offer, Duration),
    Bound,
    /// Asking to go on; `again` is when to ask the next time.
    Renewing {
        again: Duration,
        listening: bool,
    },
}

/// One lease.
#[derive(Debug)]
pub(crate) struct Machine {
    timing: Timing,
    mac: Mac,
    /// Metric of the result's routes.
    priority: u32,
    random: Random,
    phase: LeasePhase,
    held: Option<Binding>,
    xid: u32,
    /// When this exchange began.
    began: Duration,
    /// When the last message was sent.
    sent: Duration,
    give_up: Duration,
    /// Messages of this phase so far.
    tries: u32,
    /// Refusals so far: each makes the next attempt wait longer.
    refusals: u32,
    /// The server whose offer has led to nothing.
    avoided: Option<Ipv4Addr>,
    next: Duration,
    heard: String,
}

impl Machine {
    /// A lease to be had; the first message is due now.
    pub(crate) fn acquire(
        mac: Mac,
        priority: u32,
        timing: Timing,
        now: Duration,
        mut random: Random,
    ) -> Self {
        let xid = random.xid();
        Self {
            timing,
            mac,
            priority,
            random,
            phase: LeasePhase::Discovering,
            held: None,
            xid,
            began: now,
            sent: now,
            give_up: now + timing.resend_timeout,
            tries: 0,
            refusals: 0,
            avoided: None,
            next: now,
            heard: String::new(),
        }
    }

    /// A lease that was there before the daemon was: renewed when it is due, or soon if that has passed.
    pub(crate) fn resume(
        mac: Mac,
        priority: u32,
        timing: Timing,
        now: Duration,
        random: Random,
        binding: Binding,
    ) -> Self {
        let mut machine = Self::acquire(mac, priority, timing, now, random);
        // Not all at once.
        let soon =
            machine.random.below(binding.times.expire.saturating_sub(now).min(Duration::from_secs(32)) / 4);
        machine.next = binding.times.renew.max(now + soon);
        machine.phase = LeasePhase::Bound;
        machine.held = Some(binding);
        machine
    }

    /// When [`Machine::timer`] is due.
    pub(crate) fn deadline(&self) -> Duration {
        self.next
    }

    /// Whether answers are waited for.
    pub(crate) fn listens(&self) -> bool {
        match self.phase {
            LeasePhase::Bound => false,
            LeasePhase::Renewing { listening, .. } => listening,
            LeasePhase::Discovering | LeasePhase::Requesting(..) => true,
        }
    }

    /// The deadline has come.
    pub(crate) fn timer(&mut self, now: Duration) -> Vec<Act> {
        if now < self.next {
            return Vec::new();
        }
        match self.phase {
            LeasePhase::Discovering | LeasePhase::Requesting(..) => self.acquire_on(now),
            LeasePhase::Bound | LeasePhase::Renewing { .. } => self.maintain(now),
        }
    }

    /// A server's message has come.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub(crate) fn reply(&mut self, now: Duration, reply: &Reply) -> Result<Vec<Act>, Ignored> {
        if reply.xid != self.xid || reply.mac != self.mac {
            return Err(Ignored::NotOurs);
        }
        match self.phase {
            LeasePhase::Discovering => self.offered(now, reply),
            LeasePhase::Requesting(offer, _) => self.answered(now, reply, offer),
            LeasePhase::Renewing { listening: true, .. } => self.renewed(now, reply),
            LeasePhase::Bound | LeasePhase::Renewing { .. } => Err(Ignored::Unexpected),
        }
    }

    /// The lease goes on, or begins, with `binding`.
    fn bind(&mut self, binding: Binding) -> Vec<Act> {
        self.phase = LeasePhase::Bound;
        (self.tries, self.refusals, self.avoided) = (0, 0, None);
        // Servers and networks should not see all containers of a node at the same moment.
        let early = binding.times.renew.saturating_sub(binding.times.since) / 16;
        self.next = binding.times.renew.saturating_sub(self.random.below(early));
        self.held = Some(binding.clone());
        vec![Act::Bound(Box::new(binding))]
    }

    fn message(&mut self, now: Duration, kind: Kind) -> Send {
        self.sent = now;
        let secs = u16::try_from(now.saturating_sub(self.began).as_secs()).unwrap_or(u16::MAX);
        Send { kind, xid: self.xid, secs, ciaddr: None, requested: None, server: None, to: None }
    }
}

/// What a server has said, in parentheses, for messages.
fn words(reply: &Reply) -> String {
    reply.options.text().map(|text| format!(" ({text})")).unwrap_or_default()
}
