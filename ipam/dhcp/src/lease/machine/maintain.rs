//! Renewing and rebinding (RFC 2131, section 4.4.5).

use std::time::Duration;

use super::{Act, End, LeasePhase, Machine, words};
use crate::lease::Binding;
use crate::message::reply::Ignored;
use crate::message::{Kind, Reply};

/// The shortest pause between two attempts: the RFC's, or less for short leases.
const PAUSE_MIN: Duration = Duration::from_secs(60);

impl Machine {
    pub(super) fn maintain(&mut self, now: Duration) -> Vec<Act> {
        let Some(held) = self.held.clone() else { return Vec::new() };
        if now >= held.times.expire {
            return vec![Act::Ended(End::Expired)];
        }
        match self.phase {
            LeasePhase::Renewing { again, .. } if now < again => {
                // Nobody has answered so far: no socket until the next attempt.
                self.phase = LeasePhase::Renewing { again, listening: false };
                self.next = again;
                Vec::new()
            }
            LeasePhase::Renewing { .. } => vec![self.ask(now, &held)],
            _ => {
                (self.xid, self.began) = (self.random.xid(), now);
                vec![self.ask(now, &held)]
            }
        }
    }

    /// Asks to go on, the server until T2 and then everybody. The next attempt is after half of what remains.
    fn ask(&mut self, now: Duration, held: &Binding) -> Act {
        let rebinding = now >= held.times.rebind;
        let limit = if rebinding { held.times.expire } else { held.times.rebind };
        let pause = (limit.saturating_sub(now) / 2).max(PAUSE_MIN.min(held.length() / 16));
        let again = (now + pause).min(limit);
        self.phase = LeasePhase::Renewing { again, listening: true };
        self.next = (now + self.timing.timeout).min(again);
        let mut message = self.message(now, Kind::Request);
        message.ciaddr = Some(held.address);
        message.to = (!rebinding).then_some((held.server, held.server_mac));
        Act::Send(message)
    }

    pub(super) fn renewed(&mut self, now: Duration, reply: &Reply) -> Result<Vec<Act>, Ignored> {
        let Some(held) = &self.held else { return Err(Ignored::Unexpected) };
        let asked_all = self.sent >= held.times.rebind;
        let server = reply.server.unwrap_or(held.server);
        if !asked_all && server != held.server {
            return Err(Ignored::Server);
        }
        match reply.kind {
            Kind::Ack if reply.address != held.address => Err(Ignored::OtherAddress),
            Kind::Ack => {
                Binding::read(reply, server, self.sent, self.priority).map(|binding| self.bind(binding))
            }
            Kind::Nak => {
                self.heard = format!("server {server} refuses to renew {}{}", held.address, words(reply));
                self.began = now;
                self.give_up = (now + self.timing.resend_timeout).min(held.times.expire);
                self.start_over(now);
                Ok(Vec::new())
            }
            _ => Err(Ignored::Unexpected),
        }
    }
}
