//! One client's connection: what it asks, in whichever protocol, and the answer. Its size and its time are bounded.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cni_types::{CniResult, Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::leases::Leases;
use super::race::{Either, either};
use super::{log, rpc};
use crate::wire::{self, Request};

/// How long a client may take to say what it wants, or to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More wait in the socket's queue.
const CONNECTIONS_MAX: usize = 1024;
/// After a failed accept: there are no descriptors, and some have to be closed first.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections for ever.
pub(super) async fn accept(listener: UnixListener, leases: Rc<Leases>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let leases = Rc::clone(&leases);
                spawn_local(async move {
                    if let Err(error) = serve(stream, &leases).await {
                        log!("a client's connection: {error}");
                    }
                    drop(slot);
                });
            }
            Err(e) => {
                log!("cannot take a connection: {e}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// A connection, and what has come in on it beyond what was asked for.
pub(super) struct Client {
    stream: UnixStream,
    pub(super) received: Vec<u8>,
    /// When it must have said what it wants.
    deadline: Instant,
}

async fn serve(stream: UnixStream, leases: &Rc<Leases>) -> Result<()> {
    let mut client = Client { stream, received: Vec::new(), deadline: Instant::now() + PATIENCE };
    if !client.receive().await? {
        // Somebody has looked whether we are there.
        return Ok(());
    }
    match client.received.first() {
        Some(b'{') => {}
        Some(b'C') => return rpc::serve(client, leases).await,
        _ => return Err(Error::decode("a request in no protocol that is spoken here")),
    }
    let line = client.line().await?;
    let answer = match Request::decode(&line) {
        Ok(request) => client.unless_gone(answer(leases, request)).await,
        Err(error) => Some(Err(error)),
    };
    match answer {
        Some(answer) => client.send(&wire::encode_answer(&answer)).await,
        None => Ok(()),
    }
}

async fn answer(leases: &Rc<Leases>, request: Request) -> Result<Option<CniResult>> {
    match request {
        Request::Add(id, netns, wanted) => leases.add(id, &netns, wanted).await.map(Some),
        Request::Check(id, netns) => leases.check(&id, &netns).map(Some),
        Request::Del(id) => leases.del(&id).await.map(|()| None),
        Request::Gc(network, valid) => leases.gc(&network, &valid).await.map(|()| None),
        Request::Status => leases.status().map(|()| None),
    }
}

impl Client {
    /// Waits for more bytes; false at the end of the stream.
    ///
    /// # Errors
    /// Code 11 when none come in time, code 5 when there can be none, code 6 when there are too many.
    pub(super) async fn receive(&mut self) -> Result<bool> {
        let read = self.stream.read_buf(&mut self.received);
        let read = timeout_at(self.deadline, read).await;
        let read = read.map_err(|_| Error::try_again("the client does not say what it wants"))?;
        let read = read.map_err(|e| Error::io("cannot read the request", &e))?;
        if self.received.len() > wire::SIZE_MAX {
            return Err(Error::decode(format!("the request is over {} bytes", wire::SIZE_MAX)));
        }
        Ok(read > 0)
    }

    /// The bytes up to the first newline.
    async fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                return Ok(self.received.drain(..=end).collect());
            }
            if !self.receive().await? {
                return Err(Error::decode("the request ends in the middle"));
            }
        }
    }

    /// Works for the client as long as it is there; `None` once it has gone, and with it the work.
    pub(super) async fn unless_gone<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let Self { stream, received, .. } = self;
        let gone = async {
            // A client may have said more already than it has been answered, within bounds.
            while received.len() <= wire::SIZE_MAX && stream.read_buf(received).await.is_ok_and(|n| n > 0) {}
        };
        match either(work, gone).await {
            Either::First(done) => Some(done),
            Either::Second(()) => None,
        }
    }

    /// Gives the client time for another request.
    pub(super) fn go_on(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    /// # Errors
    /// Code 5 or 11 when the client does not take it.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        let sent = sent.map_err(|_| Error::try_again("the client does not take the answer"))?;
        sent.map_err(|e| Error::io("cannot write the answer", &e))
    }
}
