//! Why a connection cannot go on.

use std::fmt;

use crate::gob;

/// What the other end sent makes no sense; the connection has to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// It does not begin as net/rpc over HTTP does.
    Handshake(String),
    /// What follows is not gob.
    Gob(gob::Error),
    /// It is gob, but this part of a result is out of range.
    Content(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(line) => write!(f, "no net/rpc over HTTP: it begins with {line:?}"),
            Self::Gob(error) => write!(f, "no gob: {error}"),
            Self::Content(part) => write!(f, "a result whose {part} is out of range"),
        }
    }
}

impl std::error::Error for Error {}

impl From<gob::Error> for Error {
    fn from(error: gob::Error) -> Self {
        Self::Gob(error)
    }
}
