//! The plugin's end of a connection.

use cni_types::CniResult;

use super::head::{CONNECT, Head};
use super::{CmdArgs, Error, Method, reply};
use crate::gob::{Decoder, Definition, Encoder, TypeId};

const REQUEST: TypeId = TypeId::nth(0);
const CMD_ARGS: TypeId = TypeId::nth(1);
const TYPES: &[Definition] = &[
    Definition::Struct("Request", &[("ServiceMethod", TypeId::STRING), ("Seq", TypeId::UINT)]),
    Definition::Struct(
        "CmdArgs",
        &[
            ("ContainerID", TypeId::STRING),
            ("Netns", TypeId::STRING),
            ("IfName", TypeId::STRING),
            ("Args", TypeId::STRING),
            ("Path", TypeId::STRING),
            ("NetnsOverride", TypeId::STRING),
            ("StdinData", TypeId::BYTES),
        ],
    ),
];

/// One connection: make requests, send the [`Self::output`], feed what arrives, take the replies.
#[derive(Debug)]
pub struct Client {
    /// None once the stream has begun.
    head: Option<Head>,
    decoder: Decoder,
    encoder: Encoder,
    requests: u64,
    /// What waits to be sent.
    requested: Vec<u8>,
    connect: &'static [u8],
    /// The header whose result has not arrived.
    header: Option<reply::Header>,
}

/// The answer to one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which: requests are counted from 0.
    pub seq: u64,
    /// What it gave; the result of a release is empty.
    pub result: Result<CniResult, String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            head: Some(Head::default()),
            decoder: Decoder::default(),
            encoder: Encoder::new(TYPES),
            requests: 0,
            requested: Vec::new(),
            connect: CONNECT,
            header: None,
        }
    }
}

impl Client {
    /// Makes a request; any number may wait for their replies.
    pub fn request(&mut self, method: Method, args: &CmdArgs) {
        self.encoder.value(&mut self.requested, REQUEST, |request| {
            request.string(0, method.name());
            request.uint(1, self.requests);
        });
        self.encoder.value(&mut self.requested, CMD_ARGS, |writer| args.write(writer));
        self.requests += 1;
    }

    /// What can be sent now, if anything. Requests wait until the server has answered the opening: the reference's
    /// daemon loses what comes in one read with it.
    pub fn output(&mut self) -> Vec<u8> {
        if self.head.is_some() {
            return std::mem::take(&mut self.connect).to_vec();
        }
        std::mem::take(&mut self.requested)
    }

    /// Takes bytes that have arrived.
    ///
    /// # Errors
    /// When the server does not answer as net/rpc over HTTP does.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(head) = &mut self.head else {
            self.decoder.feed(bytes);
            return Ok(());
        };
        let is_ok = |line: &str| line.starts_with("HTTP/1.") && line.split(' ').nth(1) == Some("200");
        if let Some(rest) = head.feed(bytes, is_ok)? {
            self.head = None;
            self.decoder.feed(&rest);
        }
        Ok(())
    }

    /// The next reply; none when more bytes are needed.
    ///
    /// # Errors
    /// When what arrived makes no sense.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, Error> {
        let header = match self.header.take() {
            Some(header) => header,
            None => match self.decoder.next_value()? {
                Some(value) => reply::Header::read(&value)?,
                None => return Ok(None),
            },
        };
        let Some(value) = self.decoder.next_value()? else {
            self.header = Some(header);
            return Ok(None);
        };
        let result = if header.error.is_empty() { Ok(reply::read(&value)?) } else { Err(header.error) };
        Ok(Some(Reply { seq: header.seq, result }))
    }
}
