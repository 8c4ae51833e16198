//! Who has connected, and what came in from there. Size and time of a request are bounded.

use std::future::Future;
use std::time::Duration;

use cni_types::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::race::{Either, either};
use crate::wire;

/// How long a client may take to say what it wants, or to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, and what has come in on it beyond what was asked for.
pub(super) struct Caller {
    stream: UnixStream,
    pub(super) received: Vec<u8>,
    /// When it must have said what it wants.
    deadline: Instant,
}

impl Caller {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, received: Vec::new(), deadline: Instant::now() + PATIENCE }
    }

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
    pub(super) async fn line(&mut self) -> Result<Vec<u8>> {
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
