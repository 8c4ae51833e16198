//! Doing what the state machine says.

use cni_types::{Code, Error, Result};

use super::{Flow, Keeper};
use crate::daemon::log;
use crate::daemon::port::Port;
use crate::daemon::registry::HeldLease;
use crate::lease::{Act, Binding, End, Offer, Send};
use crate::query;
use crate::record::Grant;

impl Keeper {
    pub(super) fn act(&mut self, acts: Vec<Act>) -> Flow {
        for act in acts {
            match act {
                Act::Draft(offer) => self.draft(offer)?,
                Act::Send(message) => self.send(&message)?,
                Act::Bound(binding) => self.bound(*binding)?,
                Act::Ended(end) => return self.ended(&end),
            }
        }
        Flow::Continue(())
    }

    /// Opens the socket. An ADD fails when that does; a lease that is held waits for better times.
    pub(super) fn open(&mut self) -> Flow {
        match Port::open(&self.held.place, &self.services.closer) {
            Ok(Some(port)) => {
                self.port = Some(port);
                Flow::Continue(())
            }
            Ok(None) => self.gone(),
            Err(error) if self.waiting.is_some() => self.fail(error),
            Err(error) => {
                log!("{}: {error}", self.held.name());
                self.deaf = true;
                Flow::Continue(())
            }
        }
    }

    /// The address is on disk before it is asked for, so that it is released even if this process is killed.
    fn draft(&mut self, offer: Offer) -> Flow {
        let held = &self.held;
        self.draft = Some(offer);
        if held.binding.borrow().is_some() {
            return Flow::Continue(());
        }
        match self.services.state.write(&held.record(Grant::Offered(offer))) {
            Ok(()) => Flow::Continue(()),
            Err(error) => self.fail(error),
        }
    }

    fn send(&mut self, message: &Send) -> Flow {
        let there = self.held.place.is_there();
        if there == Ok(false) {
            return self.gone();
        }
        if self.port.is_none() {
            self.open()?;
        }
        let Some(port) = &self.port else { return Flow::Continue(()) };
        let held = &self.held;
        let client_id = query::client_id(&held.id);
        let broadcast = self.services.flags.broadcast || held.place.shares_mac;
        let packet = query::packet(message, held.place.mac, &client_id, &held.wanted, broadcast);
        let to = message.to.and_then(|(_, mac)| mac);
        let sent = there.and_then(|_| port.send(&held.place, to, &packet));
        self.trouble = sent.err().map(|error| error.to_string());
        if let Some(trouble) = &self.trouble {
            log!("{}: {trouble}", held.name());
        }
        Flow::Continue(())
    }

    /// The lease has begun, or goes on. What the container has been given stays as it is: nobody could tell it.
    fn bound(&mut self, mut binding: Binding) -> Flow {
        let before = self.held.binding.borrow_mut().take();
        if let Some(before) = before {
            if before.result != binding.result {
                log!(
                    "{}: the server's options have changed; they count from the next ADD on",
                    self.held.name()
                );
            }
            binding.result = before.result;
        }
        let result = binding.result.clone();
        *self.held.binding.borrow_mut() = Some(binding.clone());
        self.draft = None;
        let written = self.services.state.write(&self.held.record(Grant::Held(Box::new(binding))));
        let Some(waiting) = self.waiting.take() else {
            if let Err(error) = written {
                log!("{error}; after a restart this lease is shorter than it is");
            }
            return Flow::Continue(());
        };
        // Whoever waited may have gone.
        let told = written.is_ok();
        let told = waiting.send(written.map(|()| result)).is_ok() && told;
        if told { Flow::Continue(()) } else { self.report(self.release()) }
    }

    fn ended(&mut self, end: &End) -> Flow {
        match end {
            End::NoMoreTries(heard) => {
                let error = Error::new(Code::ADDRESS, "no more tries").because(self.why_nothing_came(heard));
                // A server may have acknowledged without being heard.
                if let Err(leftover) = self.release() {
                    log!("{}: {leftover}", self.held.name());
                }
                self.fail(error)
            }
            End::Expired => self.lost("has expired: no server has renewed it"),
            End::Refused(heard) => self.lost(&format!("is lost: {heard}")),
        }
    }

    fn why_nothing_came(&self, heard: &str) -> String {
        let place = &self.held.place;
        let mut cause = format!("on {} in {}: ", place.ifname, place.netns.display());
        match (&self.trouble, heard) {
            (Some(trouble), _) => cause.push_str(trouble),
            (None, "") => cause.push_str(
                "no DHCP server has offered an address; is one on this network, with free addresses?",
            ),
            (None, heard) => cause.push_str(heard),
        }
        if self.ignored > 0 {
            cause.push_str(&format!("; {} packets were ignored", self.ignored));
        }
        cause
    }

    /// The address is not the container's any more.
    fn lost(&mut self, why: &str) -> Flow {
        let HeldLease { id, place, .. } = &*self.held;
        let address = self.held.binding.borrow_mut().take().map(|binding| binding.address);
        let Some(address) = address else { return self.report(self.services.state.remove_if_present(id)) };
        log!("{}: the lease of {address} {why}; the address is taken away", self.held.name());
        let taken = place.find_there().and_then(|there| {
            let Some(rtnl) = there else { return Ok(()) };
            let addresses = rtnl.addresses(place.index)?;
            let mut ours = addresses.iter().map(|there| there.cidr).filter(|cidr| cidr.ip() == address);
            ours.try_for_each(|cidr| rtnl.remove_address_if_present(place.index, place.ifname.as_str(), cidr))
        });
        if let Err(error) = taken {
            log!("{}: {error}", self.held.name());
        }
        self.report(self.services.state.remove_if_present(id))
    }

    /// The interface is not there any more.
    fn gone(&mut self) -> Flow {
        let place = &self.held.place;
        let what = format!("{} in {} is gone", place.ifname, place.netns.display());
        log!("{}: {what}: the lease is over", self.held.name());
        self.fail(Error::new(Code::NETNS, what))
    }

    /// The lease is over without a release; an ADD that waits hears why.
    fn fail(&mut self, error: Error) -> Flow {
        if let Some(waiting) = self.waiting.take() {
            drop(waiting.send(Err(error)));
        }
        self.report(self.services.state.remove_if_present(&self.held.id))
    }

    /// Gives back what is held, or may be.
    pub(super) fn release(&self) -> Result<()> {
        let binding = self.held.binding.borrow_mut().take();
        let given = match (binding, self.draft) {
            (Some(binding), _) => Grant::Held(Box::new(binding)),
            (None, Some(offer)) => Grant::Offered(offer),
            (None, None) => return self.services.state.remove_if_present(&self.held.id),
        };
        self.services.release(&self.held.record(given))
    }

    /// The last word.
    pub(super) fn report(&self, outcome: Result<()>) -> Flow {
        if let Err(error) = outcome {
            log!("{}: {error}", self.held.name());
        }
        Flow::Break(())
    }
}
