//! The daemon's end of a connection.

use cni_types::{CniResult, excerpt};

use super::head::{CONNECTED, Head};
use super::{CmdArgs, Error, Method, reply};
use crate::gob::{Decoder, Encoder, Value};

/// One connection. Feed it what has arrived, then do every [`Step`] until there is none.
#[derive(Debug)]
pub struct Server {
    /// None once the stream has begun.
    head: Option<Head>,
    decoder: Decoder,
    encoder: Encoder,
    /// The header whose arguments have not arrived.
    header: Option<Header>,
    send: Vec<u8>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Answer this call, now or later and in any order, by [`Server::reply`].
    Call(Call),
}

/// A call of one of the two methods.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// The client's number for it.
    pub seq: u64,
    /// What is asked.
    pub method: Method,
    /// For whom.
    pub args: CmdArgs,
}

#[derive(Debug, Default)]
struct Header {
    method: String,
    seq: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            head: Some(Head::default()),
            decoder: Decoder::default(),
            encoder: Encoder::new(reply::TYPES),
            header: None,
            send: Vec::new(),
        }
    }
}

impl Server {
    /// Takes bytes that have arrived. Who feeds only when [`Self::next_step`] had nothing left holds at most one
    /// message and one read per connection.
    ///
    /// # Errors
    /// When the client does not open as net/rpc over HTTP does: close the connection.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(head) = &mut self.head else {
            self.decoder.feed(bytes);
            return Ok(());
        };
        if let Some(rest) = head.feed(bytes, |line| line.starts_with("CONNECT /_goRPC_ HTTP/1."))? {
            self.head = None;
            self.send.extend_from_slice(CONNECTED);
            self.decoder.feed(&rest);
        }
        Ok(())
    }

    /// What to do next; none when more bytes are needed.
    ///
    /// # Errors
    /// When what arrived makes no sense: close the connection.
    pub fn next_step(&mut self) -> Result<Option<Step>, Error> {
        if !self.send.is_empty() {
            return Ok(Some(Step::Send(std::mem::take(&mut self.send))));
        }
        let header = match self.header.take() {
            Some(header) => header,
            None => match self.decoder.next_value()? {
                Some(value) => Header::read(&value)?,
                None => return Ok(None),
            },
        };
        let Some(value) = self.decoder.next_value()? else {
            self.header = Some(header);
            return Ok(None);
        };
        let Header { method, seq } = header;
        Ok(Some(match Method::find(&method) {
            Some(method) => Step::Call(Call { seq, method, args: CmdArgs::read(&value)? }),
            None => {
                let error = format!("rpc: can't find method {}", excerpt(&method));
                Step::Send(reply::write(&mut self.encoder, &method, seq, &Err(error)))
            }
        }))
    }

    /// The bytes that answer call `seq`; to be sent in the order they are asked for.
    pub fn reply(&mut self, method: Method, seq: u64, result: &Result<CniResult, String>) -> Vec<u8> {
        reply::write(&mut self.encoder, method.name(), seq, result)
    }
}

impl Header {
    fn read(value: &Value) -> Result<Self, Error> {
        let mut header = Self::default();
        for field in value.fields()? {
            match field? {
                ("ServiceMethod", value) => value.string()?.clone_into(&mut header.method),
                ("Seq", value) => header.seq = value.uint()?,
                _ => {}
            }
        }
        Ok(header)
    }
}
