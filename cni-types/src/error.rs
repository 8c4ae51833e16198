//! The one error type: what goes to the runtime as the CNI error object (spec 1.1.0, section 2 "Error").

use std::fmt;
use std::io;

/// Shorthand for a result with the CNI [`Error`]; the *network* result is [`crate::CniResult`].
pub type Result<T> = std::result::Result<T, Error>;

/// A CNI error code. 0–99 belong to the specification, 100 and above to plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u32);

impl Code {
    /// The plugin does not speak the configuration's `cniVersion`.
    pub const INCOMPATIBLE_VERSION: Self = Self(1);
    /// A field of the configuration asks for something the plugin cannot do; the text holds key and value.
    pub const UNSUPPORTED_FIELD: Self = Self(2);
    /// A necessary environment variable is missing or invalid.
    pub const ENVIRONMENT: Self = Self(4);
    /// Reading or writing a file or a stream failed.
    pub const IO: Self = Self(5);
    /// JSON, or a value inside it, is not of the form it should have.
    pub const DECODE: Self = Self(6);
    /// The configuration is well formed but asks for something invalid.
    pub const CONFIG: Self = Self(7);
    /// The network namespace cannot be used (an addition of the reference library).
    pub const NETNS: Self = Self(8);
    /// Nothing is wrong for good: the runtime should try again later.
    pub const TRY_AGAIN: Self = Self(11);
    /// STATUS: the plugin cannot serve ADD.
    pub const UNAVAILABLE: Self = Self(50);
    /// STATUS: the plugin cannot serve ADD, and running containers may have limited connectivity.
    pub const UNAVAILABLE_LIMITED: Self = Self(51);
    /// The kernel refused a link, address, route or sysctl operation.
    pub const KERNEL: Self = Self(100);
    /// The packet filter (nftables or iptables) refused an operation.
    pub const FILTER: Self = Self(101);
    /// A delegated plugin failed without a CNI error object of its own, or answered nonsense.
    pub const DELEGATE: Self = Self(102);
    /// CHECK found a difference between what ADD made and what is there.
    pub const CHECK: Self = Self(103);
    /// No address (or the requested one) can be given out.
    pub const ADDRESS: Self = Self(104);
    /// A defect of this suite: a panic caught at the outermost level.
    pub const INTERNAL: Self = Self(999);
}

/// What went wrong: `msg` says what was being done and to which object, `details` holds the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The CNI error code.
    pub code: Code,
    /// What we were doing and to which object, in one sentence.
    pub msg: String,
    /// The cause chain: errno names, kernel text, what to look at next. May be empty.
    pub details: String,
}

impl Error {
    /// An error without details.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into(), details: String::new() }
    }

    /// Invalid configuration (code 7).
    pub fn config(msg: impl Into<String>) -> Self {
        Self::new(Code::CONFIG, msg)
    }

    /// Undecodable input (code 6).
    pub fn decode(msg: impl Into<String>) -> Self {
        Self::new(Code::DECODE, msg)
    }

    /// A failed file or stream operation (code 5): `doing` names the act and the path.
    pub fn io(doing: impl Into<String>, cause: &io::Error) -> Self {
        Self::new(Code::IO, doing).because(errno_text(cause))
    }

    /// Try again later (code 11): a lock that is held, something not ready yet.
    pub fn try_again(msg: impl Into<String>) -> Self {
        Self::new(Code::TRY_AGAIN, msg)
    }

    /// STATUS says no (code 50).
    pub fn unavailable(msg: impl Into<String>) -> Self {
        Self::new(Code::UNAVAILABLE, msg)
    }

    /// CHECK found a difference (code 103); say what was expected and what is there.
    pub fn check(msg: impl Into<String>) -> Self {
        Self::new(Code::CHECK, msg)
    }

    /// The same error with `cause` as its details, in front of any already there.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.details =
            if self.details.is_empty() { cause.to_string() } else { format!("{cause}; {}", self.details) };
        self
    }

    /// The same error seen from one level further out: `what` goes in front of the message, the code stays.
    #[must_use]
    pub fn doing(mut self, what: impl fmt::Display) -> Self {
        self.msg = format!("{what}: {}", self.msg);
        self
    }

    /// The same error with another code: what it means to whoever asked.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.details.is_empty() {
            f.write_str(&self.msg)
        } else {
            write!(f, "{}: {}", self.msg, self.details)
        }
    }
}

impl std::error::Error for Error {}

/// The cause in words, with the errno's name in front where there is one: `ENOENT: No such file or directory (os error
/// 2)`.
pub fn errno_text(cause: &io::Error) -> String {
    match cause.raw_os_error() {
        Some(errno) => format!("{:?}: {cause}", nix::errno::Errno::from_raw(errno)),
        None => cause.to_string(),
    }
}

/// Adds what was being done to a failing result.
pub trait Doing<T> {
    /// Maps the error to a CNI [`Error`] whose message starts with `what`.
    ///
    /// # Errors
    /// The mapped error.
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T> Doing<T> for Result<T> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|e| e.doing(what))
    }
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|e| Error::io(what.to_string(), &e))
    }
}
