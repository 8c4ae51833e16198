//! Options become times and results.

use super::*;
use crate::message::Kind;
use crate::message::options::of;

fn read(address: [u8; 4], options: &[(u8, &[u8])]) -> Result<Binding, Ignored> {
    let reply = Reply {
        kind: Kind::Ack,
        xid: 0,
        mac: Mac([0; 6]),
        address: address.into(),
        server: None,
        options: of(options),
        from: None,
    };
    Binding::read(&reply, Ipv4Addr::LOCALHOST, Duration::from_secs(1000), 7)
}

const MASK: (u8, &[u8]) = (1, &[255, 255, 255, 0]);

fn due(options: &[(u8, &[u8])]) -> (u64, u64, u64) {
    let all: Vec<_> = options.iter().copied().chain([MASK]).collect();
    let times = read([10, 0, 0, 7], &all).unwrap().times;
    let after = |moment: Duration| (moment - Duration::from_secs(1000)).as_secs();
    (after(times.renew), after(times.rebind), after(times.expire))
}

#[test]
fn times_are_the_server_s_if_they_are_in_order() {
    assert_eq!(due(&[]), (1800, 3150, 3600));
    assert_eq!(due(&[(51, &[0, 0, 0, 80])]), (40, 70, 80));
    assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 10]), (59, &[0, 0, 0, 20])]), (10, 20, 80));
    assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 30]), (59, &[0, 0, 0, 20])]), (40, 70, 80));
    assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 0]), (59, &[0, 0, 1, 0])]), (40, 70, 80));
    assert_eq!(due(&[(51, &[255; 4])]), (2_147_483_647, 3_758_096_383, u64::from(u32::MAX)));
}

#[test]
fn contradictory_acks_are_refused() {
    assert_eq!(read([10, 0, 0, 7], &[]), Err(Ignored::Address), "no mask");
    assert_eq!(read([10, 0, 0, 7], &[(1, &[255, 0, 255, 0])]), Err(Ignored::Address));
    for address in [[0; 4], [255; 4], [127, 0, 0, 1], [224, 0, 0, 1]] {
        assert_eq!(read(address, &[MASK]), Err(Ignored::Address), "{address:?}");
    }
    assert_eq!(read([10, 0, 0, 7], &[MASK, (51, &[0; 4])]), Err(Ignored::LeaseTime));
    assert_eq!(read([10, 0, 0, 7], &[MASK, (51, &[1])]), Err(Ignored::LeaseTime));
}

#[test]
fn options_become_the_result() {
    let classless: &[u8] = &[24, 192, 168, 9, 10, 0, 0, 2, 32, 1, 2, 3, 4, 0, 0, 0, 0];
    let plain = [
        MASK,
        (3, &[10, 0, 0, 1, 10, 0, 0, 2][..]),
        (6, &[10, 0, 0, 53]),
        (15, b"example.org"),
        (26, &[5, 120]),
        (33, &[172, 16, 0, 0, 10, 0, 0, 3]),
        (119, b"\x01a\0"),
    ];
    let routes = |options: &[(u8, &[u8])]| {
        let result = read([10, 0, 0, 7], options).unwrap().result;
        assert_eq!(result.ips[0].address.to_string(), "10.0.0.7/24");
        assert_eq!(result.ips[0].gateway.unwrap().to_string(), "10.0.0.1");
        assert_eq!(result.dns.nameservers, ["10.0.0.53"]);
        assert_eq!(
            (result.dns.domain.as_str(), &result.dns.search[..]),
            ("example.org", &["a".to_owned()][..])
        );
        assert!(result.routes.iter().all(|route| route.priority == 7 && route.mtu == 1400));
        let text = |r: &Route| format!("{}>{:?} {:?}", r.dst, r.gw, r.scope);
        result.routes.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(routes(&plain), ["172.16.0.0/16>Some(10.0.0.3) None", "0.0.0.0/0>Some(10.0.0.1) None"]);
    let all: Vec<_> = plain.into_iter().chain([(121, classless)]).collect();
    assert_eq!(routes(&all), ["192.168.9.0/24>Some(10.0.0.2) None", "1.2.3.4/32>Some(0.0.0.0) Some(253)"]);
}
