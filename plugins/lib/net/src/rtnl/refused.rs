//! A request the kernel refused.

use std::fmt;
use std::num::NonZeroI32;

use cni_types::{Code, Error};
use nix::errno::Errno;

use super::attr;

/// `NLM_F_CAPPED`: the refused message is not echoed beyond its header (`linux/netlink.h`).
const NLM_F_CAPPED: u16 = 0x100;
/// `NLMSGERR_ATTR_MSG`: the kernel's own explanation.
const NLMSGERR_ATTR_MSG: u16 = 1;
/// Size of `struct nlmsghdr`.
const HEADER: usize = 16;

/// The errno and, where it gave one, the kernel's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    doing: String,
    errno: Errno,
    kernel_text: String,
}

impl Refused {
    pub(super) fn new(doing: &str, errno: Errno, kernel_text: String) -> Self {
        Self { doing: doing.to_owned(), errno, kernel_text }
    }

    /// Reads an `NLMSG_ERROR`: `code` is the negative errno, `tail` what follows it.
    pub(super) fn from_message(doing: &str, flags: u16, code: NonZeroI32, tail: &[u8]) -> Self {
        let echoed = if flags & NLM_F_CAPPED != 0 { HEADER } else { attr::u32_of(tail) as usize };
        let extended = tail.get(echoed.next_multiple_of(4)..).unwrap_or_default();
        let kernel_text = attr::find(extended, NLMSGERR_ATTR_MSG).map(attr::text).unwrap_or_default();
        Self::new(doing, Errno::from_raw(code.get().wrapping_neg()), kernel_text)
    }

    /// The errno.
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// Whether the thing is there already.
    pub fn is_exist(&self) -> bool {
        self.errno == Errno::EEXIST
    }

    /// Whether the thing is not there: no such link, address, route or entry.
    pub fn is_not_found(&self) -> bool {
        matches!(self.errno, Errno::ENODEV | Errno::ENOENT | Errno::ESRCH | Errno::EADDRNOTAVAIL)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.errno, self.errno.desc())?;
        if !self.kernel_text.is_empty() {
            write!(f, ", the kernel says: {}", self.kernel_text)?;
        }
        Ok(())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::new(Code::KERNEL, format!("cannot {}", refused.doing)).because(&refused)
    }
}
