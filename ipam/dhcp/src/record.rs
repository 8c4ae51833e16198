//! What is written down of a lease.

use cni_types::AttachmentId;

use crate::lease::{Binding, Offer};
use crate::place::Place;
use crate::wanted::Wanted;

/// All that a daemon which is started anew has to know of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeaseRecord {
    pub(crate) id: AttachmentId,
    pub(crate) place: Place,
    pub(crate) wanted: Wanted,
    pub(crate) given: Grant,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grant {
    /// It was asked for, and the server may have given it.
    Offered(Offer),
    /// It is held.
    Held(Box<Binding>),
}

impl Grant {
    /// Whose address it is, in either case.
    pub(crate) fn offer(&self) -> Offer {
        match self {
            Self::Offered(offer) => *offer,
            Self::Held(binding) => {
                let Binding { address, server, server_mac, .. } = **binding;
                Offer { address, server, server_mac }
            }
        }
    }
}
