//! The task of one lease: it drives the state machine with the clock and a socket, and does what it says.

mod acts;

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use cni_types::{CniResult, Result};
use tokio::sync::{mpsc, oneshot};

use super::log;
use super::port::Port;
use super::registry::{HeldLease, Order, Registry};
use super::services::Services;
use crate::clock;
use crate::lease::{Machine, Offer};
use crate::message::Reply;
use crate::message::reply::Ignored;

/// Everything about one lease.
pub(super) struct Keeper {
    pub(super) registry: Rc<Registry>,
    pub(super) services: Rc<Services>,
    pub(super) held: Rc<HeldLease>,
    pub(super) machine: Machine,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    /// The ADD that waits for the lease.
    pub(super) waiting: Option<oneshot::Sender<Result<CniResult>>>,
    /// What was asked for last.
    pub(super) draft: Option<Offer>,
    pub(super) port: Option<Port>,
    /// Nothing can be received until the next message is due.
    pub(super) deaf: bool,
    /// Packets passed over.
    pub(super) ignored: u32,
    /// Why the last message could not be sent.
    pub(super) trouble: Option<String>,
}

/// What a keeper waits for.
enum Woken {
    Order(Order),
    /// Whoever waited has gone.
    Abandoned,
    Packet(io::Result<std::result::Result<Reply, Ignored>>),
    Deadline,
}

/// Whether the task goes on.
type Flow = ControlFlow<()>;

impl Keeper {
    /// Keeps the lease until it is over.
    pub(super) async fn run(mut self) {
        while self.step().await.is_continue() {}
        self.registry.forget(&self.held);
    }

    async fn step(&mut self) -> Flow {
        if !self.machine.listens() {
            self.port = None;
        } else if self.port.is_none() && !self.deaf {
            self.open()?;
        }
        match self.wait().await {
            Woken::Order(Order::End(done)) => {
                // Whoever asked may have gone; the lease is over all the same.
                drop(done.send(self.release()));
                Flow::Break(())
            }
            Woken::Abandoned => {
                log!("{}: nobody waits for the address any more", self.held.name());
                self.report(self.release())
            }
            Woken::Packet(Ok(Ok(reply))) => match self.machine.reply(clock::now(), &reply) {
                Ok(acts) => self.act(acts),
                Err(why) => self.ignore(why).await,
            },
            Woken::Packet(Ok(Err(why))) => self.ignore(why).await,
            Woken::Packet(Err(e)) => {
                log!("{}: cannot receive: {e}", self.held.name());
                (self.deaf, self.port) = (true, None);
                Flow::Continue(())
            }
            Woken::Deadline => {
                self.deaf = false;
                let acts = self.machine.timer(clock::now());
                self.act(acts)
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let alarm = Rc::clone(&self.services.alarm);
        let mut deadline = pin!(alarm.until(self.machine.deadline()));
        let Self { orders, waiting, port, .. } = self;
        let mut packet = pin!(async {
            match port {
                Some(port) => port.receive().await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| {
            if let Poll::Ready(Some(order)) = orders.poll_recv(cx) {
                return Poll::Ready(Woken::Order(order));
            }
            if waiting.as_mut().is_some_and(|waiting| waiting.poll_closed(cx).is_ready()) {
                return Poll::Ready(Woken::Abandoned);
            }
            // Before packets: a flood of them must not stop the clock.
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Woken::Deadline);
            }
            packet.as_mut().poll(cx).map(Woken::Packet)
        })
        .await
    }

    /// Counts a packet that changes nothing, and lets others run before the next one.
    async fn ignore(&mut self, why: Ignored) -> Flow {
        // What is for others comes to everybody, as it should.
        if why != Ignored::NotOurs {
            self.ignored = self.ignored.saturating_add(1);
            self.services.count_ignored();
            if self.ignored.is_power_of_two() {
                log!("{}: {} packets ignored so far, the last because {why}", self.held.name(), self.ignored);
            }
        }
        tokio::task::yield_now().await;
        Flow::Continue(())
    }
}
