//! What is asked of the packet filter for one attachment.

use std::net::IpAddr;

use cni_types::{Error, Form, FromText, IfName, Result, excerpt};

use crate::firewalld::Zone;

/// Longest chain name in bytes (`XT_EXTENSION_MAXNAMELEN` − 1, `linux/netfilter/x_tables.h`).
const CHAIN_MAX: usize = 28;
/// Names that mean something else to one of the backends.
const RESERVED: &[&str] = &[
    "INPUT",
    "FORWARD",
    "OUTPUT",
    "PREROUTING",
    "POSTROUTING",
    "ACCEPT",
    "DROP",
    "RETURN",
    "QUEUE",
    "REJECT",
    "LOG",
    "CNI-FORWARD",
    "CNI-ISOLATION-STAGE-1",
    "CNI-ISOLATION-STAGE-2",
    "forward",
    "admins",
];

/// The name of the administrator's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdminChain(String);

impl Default for AdminChain {
    fn default() -> Self {
        Self("CNI-ADMIN".to_owned())
    }
}

/// 1–28 letters, digits, `_`, `.` and `-`; it does not start with `-`, and has no other meaning.
impl FromText for AdminChain {
    const FORM: Form = Form::Text { what: "chain name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        let fits = (1..=CHAIN_MAX).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if !fits {
            return Err(Error::config(
                "invalid chain name: it must be 1–28 letters, digits, '_', '.' and '-', and not start with '-'",
            )
            .because(excerpt(text)));
        }
        if RESERVED.contains(&text) {
            return Err(Error::config(format!(
                "invalid chain name {}: the name has another meaning to the packet filter; choose another",
                excerpt(text)
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl AdminChain {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who may reach the containers of a bridge (`ingressPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ingress {
    /// Containers of the same bridge, and whatever does not come through another such bridge.
    SameBridge,
    /// The same without the containers of the same bridge.
    Isolated,
}

/// A bridge with an ingress policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Isolation {
    /// The policy.
    pub(crate) ingress: Ingress,
    /// The bridge.
    pub(crate) bridge: IfName,
}

/// All there is to do for one attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The container's addresses.
    pub(crate) ips: Vec<IpAddr>,
    /// Asked before the containers' traffic is accepted.
    pub(crate) admin: AdminChain,
    /// The bridge's policy; `None` is an open one.
    pub(crate) isolation: Option<Isolation>,
    /// Where firewalld puts the addresses, if it is the backend.
    pub(crate) zone: Zone,
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni_types::Code;

    #[test]
    fn an_admin_chain_can_be_named_in_every_backend() {
        for good in ["CNI-ADMIN", "a", "my_chain.2", &"x".repeat(28)] {
            assert!(AdminChain::from_text(good).is_ok(), "{good}");
        }
        for bad in
            ["", "-j", "a b", "a\n-F", "a\"", "a;b", "FORWARD", "ACCEPT", "CNI-FORWARD", &"x".repeat(29)]
        {
            assert_eq!(AdminChain::from_text(bad).unwrap_err().code, Code::CONFIG, "{bad:?}");
        }
    }
}
