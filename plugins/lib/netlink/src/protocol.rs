//! What a socket is for.

/// Whom the socket talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes.
    Route,
    /// The packet filter.
    Nftables,
    /// The packet filter's connection tracking.
    Conntrack,
}

impl Protocol {
    /// Whether a message of this type asks for an object.
    pub(crate) fn is_lookup(self, kind: u16) -> bool {
        match self {
            // They come in fours: new, delete, get, set (`linux/rtnetlink.h`).
            Self::Route => kind & 3 == 2,
            // They come in threes, up to `NFT_MSG_GETGEN`: new, get, delete; the high byte is the subsystem.
            Self::Nftables | Self::Conntrack => (kind & 0xff) % 3 == 1,
        }
    }
}
