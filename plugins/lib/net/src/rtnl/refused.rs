//! A request the kernel refused.

use std::fmt;

use cni_netlink::{Errno, Refusal};
use cni_types::{Code, Error};

use super::message::Request;

/// The errno and, where it gave one, the kernel's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub(super) doing: String,
    pub(super) errno: Errno,
    pub(super) text: String,
}

impl Refused {
    pub(super) fn new(request: &Request, refusal: Refusal) -> Self {
        Self { doing: request.doing.clone(), errno: refusal.errno, text: refusal.text }
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

    /// Whether the thing is not there: no such link, address, route or entry.
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
        let doing = format!("cannot {}", refused.doing);
        match refused.errno {
            // Only an interrupted list is refused so.
            Errno::EINTR => Self::try_again(doing).because("the list kept changing while it was read"),
            _ => Self::new(Code::KERNEL, doing).because(&refused),
        }
    }
}
