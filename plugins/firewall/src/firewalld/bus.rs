//! A connection to the system bus (D-Bus Specification, "Authentication Protocol" and "Message Bus").

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use cni_types::{Code, Doing, Error, Result, hex_digits};

use super::message::{Call, HEAD, Incoming};

/// Where the bus is, if `DBUS_SYSTEM_BUS_ADDRESS` does not say otherwise.
const DEFAULT: &str = "unix:path=/run/dbus/system_bus_socket";
/// How long to wait for one answer. firewalld answers within milliseconds, but not while it reloads.
const BOUND: Duration = Duration::from_secs(10);
/// Largest message in bytes that can be an answer to our questions.
const MESSAGE_MAX: usize = 1 << 20;

/// The connection.
pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
}

/// What a method answered.
pub(super) enum Answer {
    /// It was carried out.
    Returned {
        /// What it says if it answers with a truth.
        truth: bool,
    },
    /// It was not.
    Refused {
        /// The error's name.
        name: String,
        /// The error's text.
        text: String,
    },
}

impl Bus {
    /// Connects; `None` when nobody listens.
    ///
    /// # Errors
    /// Code 101 when the bus refuses us, code 11 when it does not answer.
    pub(super) fn open() -> Result<Option<Self>> {
        let address = env::var("DBUS_SYSTEM_BUS_ADDRESS").ok().filter(|address| !address.is_empty());
        let address = address.as_deref().unwrap_or(DEFAULT);
        let socket = socket(address).ok_or_else(|| {
            Error::new(
                Code::ENVIRONMENT,
                format!("DBUS_SYSTEM_BUS_ADDRESS names no unix socket: {address:?}"),
            )
        })?;
        let stream = match socket.and_then(|socket| UnixStream::connect_addr(&socket)) {
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            connected => connected.doing(format_args!("cannot connect to {address}"))?,
        };
        let mut bus = Self { stream, serial: 0 };
        bus.authenticate()?;
        let hello = Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            args: &[],
        };
        match bus.call(&hello)? {
            Answer::Returned { .. } => Ok(Some(bus)),
            Answer::Refused { name, text } => Err(Error::new(Code::FILTER, format!("{name}: {text}"))),
        }
    }

    /// `EXTERNAL`: the kernel tells the bus who we are.
    fn authenticate(&mut self) -> Result<()> {
        let uid: String = hex_digits(nix::unistd::geteuid().to_string().as_bytes()).collect();
        self.stream.set_read_timeout(Some(BOUND)).doing("cannot limit the wait")?;
        self.stream.set_write_timeout(Some(BOUND)).doing("cannot limit the wait")?;
        self.send(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && line.len() < 1000 {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).map_err(|cause| unanswered(&cause))?;
            line.extend(byte);
        }
        if !line.starts_with(b"OK ") {
            let said = String::from_utf8_lossy(&line).trim_end().to_owned();
            return Err(Error::new(Code::FILTER, "the bus does not accept us").because(said));
        }
        self.send(b"BEGIN\r\n")
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// Code 11 when there is none in time, code 101 when what comes is no D-Bus message.
    pub(super) fn call(&mut self, call: &Call<'_>) -> Result<Answer> {
        self.serial += 1;
        self.send(&call.encode(self.serial))?;
        let deadline = Instant::now() + BOUND;
        while Instant::now() < deadline {
            let message = self.receive()?;
            if message.answers != Some(self.serial) {
                continue;
            }
            return Ok(match message.kind {
                2 => Answer::Returned { truth: message.number() == Some(1) },
                _ => Answer::Refused {
                    name: message.error.clone().unwrap_or_default(),
                    text: message.text().unwrap_or_default().to_owned(),
                },
            });
        }
        Err(unanswered(&ErrorKind::TimedOut.into()))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(|cause| unanswered(&cause))
    }

    fn receive(&mut self) -> Result<Incoming> {
        let broken = || Error::new(Code::FILTER, "the bus sent something that is no D-Bus message");
        let mut head = [0; HEAD];
        self.stream.read_exact(&mut head).map_err(|cause| unanswered(&cause))?;
        let len = Incoming::rest(&head).filter(|&len| len <= MESSAGE_MAX).ok_or_else(broken)?;
        let mut rest = vec![0; len];
        self.stream.read_exact(&mut rest).map_err(|cause| unanswered(&cause))?;
        Incoming::decode(&head, &rest).ok_or_else(broken)
    }
}

fn unanswered(cause: &io::Error) -> Error {
    match cause.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            Error::try_again(format!("no answer within {} s", BOUND.as_secs()))
        }
        _ => Error::new(Code::FILTER, "the connection broke").because(cause),
    }
}

/// The first unix socket of a list of addresses: `unix:path=/run/x,guid=1;tcp:…`.
fn socket(addresses: &str) -> Option<io::Result<SocketAddr>> {
    addresses.split(';').find_map(|address| {
        address.strip_prefix("unix:")?.split(',').find_map(|pair| match pair.split_once('=')? {
            ("path", path) => Some(SocketAddr::from_pathname(OsStr::from_bytes(&unescape(path)))),
            ("abstract", name) => Some(SocketAddr::from_abstract_name(unescape(name))),
            _ => None,
        })
    })
}

/// `%20` and the like.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.extend(byte);
        out.extend(part.as_bytes().get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default());
    }
    out
}
