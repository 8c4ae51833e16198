//! One client's connection: what it asks, in whichever protocol, and the answer.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cni_types::{CniResult, Error, Result};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::caller::Caller;
use super::leases::Leases;
use super::{log, rpc};
use crate::wire::{self, Request};

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

async fn serve(stream: UnixStream, leases: &Rc<Leases>) -> Result<()> {
    let mut client = Caller::new(stream);
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
