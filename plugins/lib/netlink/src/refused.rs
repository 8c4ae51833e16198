//! What the kernel did not do.

use std::fmt;

use cni_types::{Code, Error};
use nix::errno::Errno;

use crate::protocol::Protocol;

/// A request that the kernel refused; of several that were made together, which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whom it was for.
    pub protocol: Protocol,
    /// What was asked for; it completes "cannot …".
    pub doing: String,
    /// Why.
    pub errno: Errno,
    /// The kernel's own words (extended acknowledgement); often none.
    pub text: String,
}

impl Refused {
    /// A refusal without words.
    pub fn new(protocol: Protocol, doing: impl Into<String>, errno: Errno) -> Self {
        Self { protocol, doing: doing.into(), errno, text: String::new() }
    }

    /// Whether the thing is there already.
    pub fn is_exist(&self) -> bool {
        self.errno == Errno::EEXIST
    }

    /// Whether something else has it.
    pub fn is_busy(&self) -> bool {
        self.errno == Errno::EBUSY
    }

    /// Whether the kernel finds the request senseless as things are.
    pub fn is_invalid(&self) -> bool {
        self.errno == Errno::EINVAL
    }

    /// Whether the kernel was built without this.
    pub fn is_unsupported(&self) -> bool {
        self.errno == Errno::EOPNOTSUPP
    }

    /// Whether nobody in the kernel understands such requests: the part of netfilter they are for is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self.errno, Errno::EPROTONOSUPPORT | Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT)
    }

    /// Whether the thing is not there: no such link, address, route, entry, table or chain.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.errno,
            Errno::ENODEV
                | Errno::ENOENT
                | Errno::ESRCH
                | Errno::EADDRNOTAVAIL
                | Errno::ENETUNREACH
                | Errno::EHOSTUNREACH
        )
    }

    /// Success where the thing was to be gone, and is.
    ///
    /// # Errors
    /// Any other refusal.
    pub fn unless_gone(self) -> Result<(), Self> {
        if self.is_not_found() { Ok(()) } else { Err(self) }
    }

    /// Success where the thing was to be there, and is.
    ///
    /// # Errors
    /// Any other refusal.
    pub fn unless_there(self) -> Result<(), Self> {
        if self.is_exist() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.errno.fmt(f)?;
        if !self.text.is_empty() {
            write!(f, ", the kernel says: {}", self.text)?;
        }
        if self.errno == Errno::EPERM {
            f.write_str("; this needs CAP_NET_ADMIN in the network namespace")?;
        }
        Ok(())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let (code, who) = match refused.protocol {
            Protocol::Route => (Code::KERNEL, ""),
            Protocol::Nftables => (Code::FILTER, "nftables "),
            Protocol::Conntrack => (Code::FILTER, ""),
        };
        let doing = format!("{who}cannot {}", refused.doing);
        match refused.errno {
            // Only an interrupted list is refused so.
            Errno::EINTR => Self::try_again(doing).because("the list kept changing while it was read"),
            _ => Self::new(code, doing).because(&refused),
        }
    }
}
