//! A client's messages as packets.

use std::net::Ipv4Addr;

use cni_types::{AttachmentId, Mac};

use crate::frame;
use crate::lease::Send;
use crate::message::{Kind, Query, code};
use crate::wanted::Wanted;

/// Longest client id in bytes, with its type: what fits into an option.
const CLIENT_ID_MAX: usize = 255;
/// What the client takes: an Ethernet frame's worth.
const SIZE: u16 = 1500;

/// The attachment, as messages and servers' logs have it.
pub(crate) fn name(id: &AttachmentId) -> String {
    format!("{}/{}/{}", id.container_id, id.network, id.ifname)
}

/// The client id of the reference, so that leases survive a change of suite: type 0, then the name.
pub(crate) fn client_id(id: &AttachmentId) -> Vec<u8> {
    let mut bytes = format!("\0{}", name(id)).into_bytes();
    bytes.truncate(CLIENT_ID_MAX);
    bytes
}

/// The IPv4 packet that says `send`, for the client with `client_id` on the interface with `mac`.
pub(crate) fn packet(send: &Send, mac: Mac, client_id: &[u8], wanted: &Wanted, broadcast: bool) -> Vec<u8> {
    let size = SIZE.to_be_bytes();
    let [requested, server] = [send.requested, send.server].map(|ip| ip.map(|ip| ip.octets()));
    let mut options: Vec<(u8, &[u8])> = Vec::new();
    let provided = |code| wanted.provide.iter().find(|provided| provided.option == code);
    options.push((code::CLIENT_ID, provided(code::CLIENT_ID).map_or(client_id, |own| &own.value)));
    options.extend(requested.as_ref().map(|ip| (code::REQUESTED_ADDRESS, &ip[..])));
    options.extend(server.as_ref().map(|ip| (code::SERVER, &ip[..])));
    // Nothing else belongs into a release (RFC 2131, table 5).
    if send.kind != Kind::Release {
        options.push((code::SIZE_MAX, &size));
        options.push((code::WANTED, &wanted.request));
        let others = wanted.provide.iter().filter(|provided| provided.option != code::CLIENT_ID);
        options.extend(others.map(|provided| (provided.option, &provided.value[..])));
    }
    let ciaddr = send.ciaddr.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let broadcast = broadcast && send.ciaddr.is_none();
    let message =
        Query { kind: send.kind, xid: send.xid, secs: send.secs, broadcast, ciaddr, mac, options }.encode();
    frame::encode(ciaddr, send.to.map_or(Ipv4Addr::BROADCAST, |(server, _)| server), &message)
}

#[cfg(test)]
mod tests {
    use cni_types::{ContainerId, IfName, NetworkName};

    use super::*;
    use crate::message::Options;
    use crate::wanted::Provided;

    fn id(container: &str) -> AttachmentId {
        AttachmentId {
            network: NetworkName::new("net").unwrap(),
            container_id: ContainerId::new(container).unwrap(),
            ifname: IfName::new("eth0").unwrap(),
        }
    }

    #[test]
    fn the_client_id_is_the_reference_s() {
        assert_eq!(client_id(&id("pod")), b"\0pod/net/eth0");
        assert_eq!(client_id(&id(&"a".repeat(255))).len(), 255);
    }

    fn options(packet: &[u8]) -> Vec<u8> {
        let mut codes = Vec::new();
        let mut at = 28 + 240;
        while packet[at] != code::END {
            codes.push(packet[at]);
            at += 2 + usize::from(packet[at + 1]);
        }
        codes
    }

    #[test]
    fn messages_hold_what_the_rfc_s_table_allows() {
        let provide =
            [(12, "web-0"), (61, "mine")].map(|(option, value)| Provided { option, value: value.into() });
        let wanted = Wanted { request: vec![1, 3], provide: provide.to_vec(), priority: 0 };
        let (us, them) = (Ipv4Addr::new(10, 0, 0, 7), Ipv4Addr::new(10, 0, 0, 1));
        let mut send = Send {
            kind: Kind::Discover,
            xid: 1,
            secs: 0,
            ciaddr: None,
            requested: None,
            server: None,
            to: None,
        };
        let build = |send: &Send| packet(send, Mac([2; 6]), b"\0x", &wanted, true);
        let bytes = build(&send);
        assert_eq!(options(&bytes), [53, 61, 57, 55, 12]);
        assert_eq!(
            (&bytes[12..16], &bytes[16..20]),
            (&[0; 4][..], &[255; 4][..]),
            "from nobody to everybody"
        );
        assert_eq!(bytes[28 + 10], 0x80, "the broadcast flag");

        (send.kind, send.ciaddr, send.to) = (Kind::Release, Some(us), Some((them, None)));
        send.server = Some(them);
        let bytes = build(&send);
        assert_eq!(options(&bytes), [53, 61, 54]);
        assert_eq!((&bytes[12..16], &bytes[16..20]), (&us.octets()[..], &them.octets()[..]));
        assert_eq!(bytes[28 + 10], 0);
        let _: Options = Options::default();
    }
}
