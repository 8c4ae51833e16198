//! Giving an address back.

use std::os::fd::OwnedFd;

use cni_types::{Code, Error, Result};

use crate::clock::Random;
use crate::lease::{Offer, Send};
use crate::message::Kind;
use crate::record::LeaseRecord;
use crate::{packet, query};

impl LeaseRecord {
    /// Sends the release out of the container's interface and from the leased address, as servers want it; nobody
    /// answers one. The socket it went through comes back, since closing it takes the kernel a while; `None` when there
    /// is no interface any more to send from.
    ///
    /// # Errors
    /// Code 8 or 100 when it cannot be sent.
    pub(crate) fn release(&self) -> Result<Option<OwnedFd>> {
        let Offer { address, server, server_mac } = self.given.offer();
        let message = Send {
            kind: Kind::Release,
            xid: Random::new().xid(),
            secs: 0,
            ciaddr: Some(address),
            requested: None,
            server: Some(server),
            to: Some((server, server_mac)),
        };
        let client_id = query::client_id(&self.id);
        let bytes = query::packet(&message, self.place.mac, &client_id, &self.wanted, false);
        self.place.visit(|| {
            let sent = packet::sender().and_then(|socket| {
                packet::send(&socket, self.place.index, server_mac, &bytes).map(|()| socket)
            });
            sent.map_err(|e| Error {
                code: Code::KERNEL,
                ..Error::io(format!("cannot release {address} of {}", self.place.ifname), &e)
            })
        })
    }
}
