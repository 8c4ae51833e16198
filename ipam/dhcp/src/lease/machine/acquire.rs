//! From DISCOVER to ACK, also once more after a refusal to renew.

use std::time::Duration;

use super::{Act, End, FIRST_PAUSE, LeasePhase, Machine, Offer, words};
use crate::lease::Binding;
use crate::message::reply::Ignored;
use crate::message::{Kind, Reply};

/// For so many messages offers of a server that has not kept one are passed over: others come first, but if there are
/// none it has another chance.
const AVOIDED: u32 = 2;

impl Machine {
    /// The pause before message number `tries` + 1, with up to a second of jitter either way (RFC 2131, section 4.1).
    fn pause(&mut self, tries: u32) -> Duration {
        let base = FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(self.timing.resend_max);
        let jitter = (base / 2).min(Duration::from_secs(1));
        base - jitter + self.random.below(2 * jitter)
    }

    pub(super) fn acquire_on(&mut self, now: Duration) -> Vec<Act> {
        if now >= self.give_up {
            let heard = std::mem::take(&mut self.heard);
            let end = if self.held.is_some() { End::Refused(heard) } else { End::NoMoreTries(heard) };
            return vec![Act::Ended(end)];
        }
        match self.phase {
            LeasePhase::Requesting(offer, until) if now < until => vec![self.request(now, offer)],
            LeasePhase::Requesting(offer, _) => {
                self.avoided = Some(offer.server);
                vec![self.discover(now)]
            }
            _ => vec![self.discover(now)],
        }
    }

    fn discover(&mut self, now: Duration) -> Act {
        if self.phase != LeasePhase::Discovering {
            // A late answer to what is given up must not be taken for one to this.
            (self.phase, self.xid, self.tries) = (LeasePhase::Discovering, self.random.xid(), 0);
        }
        let mut message = self.message(now, Kind::Discover);
        message.requested = self.held.as_ref().map(|held| held.address);
        self.schedule(now);
        Act::Send(message)
    }

    fn request(&mut self, now: Duration, offer: Offer) -> Act {
        let mut message = self.message(now, Kind::Request);
        (message.requested, message.server) = (Some(offer.address), Some(offer.server));
        self.schedule(now);
        Act::Send(message)
    }

    fn schedule(&mut self, now: Duration) {
        self.next = (now + self.pause(self.tries)).min(self.give_up);
        self.tries = self.tries.saturating_add(1);
        if let LeasePhase::Requesting(_, until) = self.phase {
            self.next = self.next.min(until);
        }
    }

    /// The first usable offer is taken.
    pub(super) fn offered(&mut self, now: Duration, reply: &Reply) -> Result<Vec<Act>, Ignored> {
        if reply.kind != Kind::Offer {
            return Err(Ignored::Unexpected);
        }
        let server = reply.server.ok_or(Ignored::Server)?;
        // What could not be taken if it were acknowledged is not worth asking for.
        let Binding { address, server_mac, .. } = Binding::read(reply, server, now, self.priority)?;
        let offer = Offer { address, server, server_mac };
        if self.avoided == Some(server) && self.tries <= AVOIDED {
            return Err(Ignored::Server);
        }
        if self.held.as_ref().is_some_and(|held| held.address != offer.address) {
            self.heard = format!("server {server} offers another address, {}", offer.address);
            return Err(Ignored::OtherAddress);
        }
        self.heard = format!("server {server} has offered {}, but does not acknowledge it", offer.address);
        self.phase = LeasePhase::Requesting(offer, now + self.timing.timeout);
        self.tries = 0;
        Ok(vec![Act::Draft(offer), self.request(now, offer)])
    }

    /// An answer to the REQUEST for `offer`.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        reply: &Reply,
        offer: Offer,
    ) -> Result<Vec<Act>, Ignored> {
        if reply.server.is_some_and(|server| server != offer.server) {
            return Err(Ignored::Server);
        }
        match reply.kind {
            Kind::Ack if reply.server.is_none() => Err(Ignored::Server),
            Kind::Ack if reply.address != offer.address => Err(Ignored::OtherAddress),
            Kind::Ack => Binding::read(reply, offer.server, self.sent, self.priority).map(|b| self.bind(b)),
            Kind::Nak => {
                self.heard = format!("server {} refuses {}{}", offer.server, offer.address, words(reply));
                self.avoided = Some(offer.server);
                self.start_over(now);
                Ok(Vec::new())
            }
            _ => Err(Ignored::Unexpected),
        }
    }

    /// Back to DISCOVER, after a pause that grows with each refusal.
    pub(super) fn start_over(&mut self, now: Duration) {
        (self.phase, self.xid, self.tries) = (LeasePhase::Discovering, self.random.xid(), 0);
        self.next = (now + self.pause(self.refusals)).min(self.give_up);
        self.refusals = self.refusals.saturating_add(1);
    }
}
