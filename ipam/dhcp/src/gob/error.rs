//! Why bytes are not gob, or not gob that is read here.

use std::fmt;

/// A stream that cannot be read on: whoever gets this closes the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A number, a text or a value goes on past the end of its message.
    Truncated,
    /// A message has bytes behind its value.
    Trailing(usize),
    /// A message longer than [`super::MESSAGE_MAX`] was announced.
    TooLong(u64),
    /// Types are nested too deep, or there are too many of them or of their fields, or one has too long a name.
    TooMany(&'static str),
    /// A number too large for its purpose or in more than eight bytes.
    Number,
    /// A type id that no definition was sent for, or one of a kind that is not read here.
    UnknownType(i64),
    /// A type was defined twice, or under an id that is not the sender's to choose.
    Redefined(i64),
    /// A field number that the struct's definition does not have.
    UnknownField(u64),
    /// A value is not of the type its purpose needs.
    Mismatch(&'static str),
    /// A text that is not UTF-8.
    Utf8,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "a value goes on past the end of its message"),
            Self::Trailing(bytes) => write!(f, "{bytes} bytes follow the value of a message"),
            Self::TooLong(length) => {
                write!(f, "a message of {length} bytes; the limit is {}", super::MESSAGE_MAX)
            }
            Self::TooMany(what) => write!(f, "too many {what}"),
            Self::Number => write!(f, "a number out of range"),
            Self::UnknownType(id) => write!(f, "a value of type {id}, which was not defined"),
            Self::Redefined(id) => write!(f, "a second definition of type {id}"),
            Self::UnknownField(number) => write!(f, "field {number} of a struct that does not have it"),
            Self::Mismatch(expected) => write!(f, "another type where {expected} was expected"),
            Self::Utf8 => write!(f, "a text that is not UTF-8"),
        }
    }
}

impl std::error::Error for Error {}
