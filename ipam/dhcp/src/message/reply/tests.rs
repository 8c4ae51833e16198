//! Good and hostile messages.

use proptest::prelude::*;

use super::*;
use crate::message::Query;

/// A server's message with these options, as a server would send it.
fn message(options: &[u8]) -> Vec<u8> {
    let mac = Mac([2, 0, 0, 0, 0, 1]);
    let query = Query {
        kind: Kind::Offer,
        xid: 0x0102_0304,
        secs: 0,
        broadcast: false,
        ciaddr: Ipv4Addr::UNSPECIFIED,
        mac,
        options: Vec::new(),
    };
    let mut message = query.encode();
    message[0] = REPLY;
    message[16..20].copy_from_slice(&[10, 0, 0, 7]);
    message.truncate(HEADER);
    message.extend_from_slice(options);
    message
}

#[test]
fn an_offer_is_read() {
    let reply = Reply::decode(&message(&[53, 1, 2, 0, 0, 54, 4, 10, 0, 0, 1, 1, 4, 255, 255, 255, 0, 255]));
    let reply = reply.unwrap();
    assert_eq!((reply.kind, reply.xid), (Kind::Offer, 0x0102_0304));
    assert_eq!(reply.address, Ipv4Addr::new(10, 0, 0, 7));
    assert_eq!(reply.server, Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(reply.options.prefix(), Some(24));
}

#[test]
fn parts_of_an_option_are_put_together_also_from_the_other_fields() {
    let mut bytes = message(&[53, 1, 5, 52, 1, 3, 15, 3, b'a', b'b', b'.', 255]);
    bytes[108..112].copy_from_slice(&[15, 1, b'c', 255]);
    bytes[44..48].copy_from_slice(&[15, 1, b'd', 255]);
    assert_eq!(Reply::decode(&bytes).unwrap().options.domain().as_deref(), Some("ab.cd"));
}

#[test]
fn hostile_messages_are_refused_with_their_reason() {
    for (options, why) in [
        (&[53, 1][..], Ignored::Options),
        (&[53], Ignored::Options),
        (&[53, 1, 2, 1, 200, 0], Ignored::Options),
        (&[53, 1, 2, 54, 3, 1, 2, 3], Ignored::Options),
        (&[53, 1, 2, 54, 4, 1, 2, 3, 4, 54, 4, 5, 6, 7, 8], Ignored::Options),
        (&[255, 53, 1, 2], Ignored::Kind),
        (&[53, 2, 2, 2], Ignored::Kind),
        (&[53, 1, 2, 53, 1, 5], Ignored::Kind),
        (&[53, 1, 1], Ignored::Kind),
        (&[53, 1, 99], Ignored::Kind),
        (&[], Ignored::Kind),
    ] {
        assert_eq!(Reply::decode(&message(options)), Err(why), "{options:?}");
    }
    let good = message(&[53, 1, 2, 255]);
    assert_eq!(Reply::decode(&good[..239]), Err(Ignored::Truncated));
    for (at, byte) in [(0, 1), (1, 6), (2, 255), (236, 0)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(Reply::decode(&bad), Err(Ignored::NotDhcp), "byte {at}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(options in proptest::collection::vec(any::<u8>(), 0..600), names in any::<[u8; 192]>()) {
        let mut bytes = message(&[53, 1, 2, 52, 1, 3]);
        bytes.extend(options);
        bytes[44..236].copy_from_slice(&names);
        if let Ok(reply) = Reply::decode(&bytes) {
            let options = reply.options;
            let _ = (options.prefix(), options.mtu(), options.static_routes(), options.classless_routes());
            let _ = (options.domain(), options.search(), options.text(), options.addresses(code::DNS));
        }
    }
}
