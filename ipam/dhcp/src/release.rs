//! Giving an address back.

use std::net::Ipv4Addr;

use cni_types::{AttachmentId, Code, Error, Mac, Result};

use crate::clock::Random;
use crate::lease::Send;
use crate::message::Kind;
use crate::place::Place;
use crate::record::Record;
use crate::wanted::Wanted;
use crate::{packet, query};

/// What a release needs to know.
pub(crate) struct Release<'a> {
    id: &'a AttachmentId,
    place: &'a Place,
    wanted: &'a Wanted,
    address: Ipv4Addr,
    server: Ipv4Addr,
    server_mac: Option<Mac>,
}

impl<'a> From<&'a Record> for Release<'a> {
    fn from(record: &'a Record) -> Self {
        match record {
            Record::Draft(id, place, wanted, offer) => {
                let (address, server, server_mac) = (offer.address, offer.server, offer.server_mac);
                Self { id, place, wanted, address, server, server_mac }
            }
            Record::Lease(lease) => {
                let (binding, server_mac) = (&lease.binding, lease.binding.server_mac);
                let (address, server) = (binding.address, binding.server);
                Self {
                    id: &lease.id,
                    place: &lease.place,
                    wanted: &lease.wanted,
                    address,
                    server,
                    server_mac,
                }
            }
        }
    }
}

impl Release<'_> {
    /// Sends the release out of the container's interface and from the leased address, as servers want it; nobody
    /// answers one. The socket it went through comes back, since closing it takes the kernel a while; `None` when there
    /// is no interface any more to send from.
    ///
    /// # Errors
    /// Code 8 or 100 when it cannot be sent.
    pub(crate) fn send(&self) -> Result<Option<std::os::fd::OwnedFd>> {
        let message = Send {
            kind: Kind::Release,
            xid: Random::new().xid(),
            secs: 0,
            ciaddr: Some(self.address),
            requested: None,
            server: Some(self.server),
            to: Some((self.server, self.server_mac)),
        };
        let client_id = query::client_id(self.id);
        let bytes = query::packet(&message, self.place.mac, &client_id, self.wanted, false);
        self.place.visit(|_| {
            let sent = packet::sender().and_then(|socket| {
                packet::send(&socket, self.place.index, self.server_mac, &bytes).map(|()| socket)
            });
            sent.map_err(|e| Error {
                code: Code::KERNEL,
                ..Error::io(format!("cannot release {} of {}", self.address, self.place.ifname), &e)
            })
        })
    }
}
