//! What the kernel answers when it does not do something.

use cni_netlink::Refusal;
use cni_types::{Code, Error};
use nix::errno::Errno;

/// A refused message or batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub errno: Errno,
    /// What was asked for, such as "delete chain ip nat CNI-1".
    pub act: String,
    /// The kernel's own words (extended acknowledgement); often empty.
    pub text: String,
}

impl Refused {
    pub(super) fn new(errno: Errno, act: impl Into<String>) -> Self {
        Self { errno, act: act.into(), text: String::new() }
    }

    pub(super) fn by(refusal: Refusal, act: &str) -> Self {
        Self { errno: refusal.errno, act: act.to_owned(), text: refusal.text }
    }

    /// Whether the kernel has no nftables at all: no nfnetlink, or no nf_tables in it.
    pub fn is_absent(&self) -> bool {
        matches!(self.errno, Errno::EPROTONOSUPPORT | Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        if refused.errno == Errno::EINTR {
            // Only an interrupted list is refused so.
            return Self::try_again(format!("nftables cannot {}", refused.act))
                .because("the ruleset kept changing while it was read");
        }
        let mut cause = refused.errno.to_string();
        if !refused.text.is_empty() {
            cause = format!("{cause}: {}", refused.text);
        }
        if refused.errno == Errno::EPERM {
            cause.push_str("; this needs CAP_NET_ADMIN in the network namespace");
        }
        Self::new(Code::FILTER, format!("nftables cannot {}", refused.act)).because(cause)
    }
}
