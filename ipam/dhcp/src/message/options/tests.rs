//! Values of options.

use super::*;

fn text(routes: &[(Cidr, Ipv4Addr)]) -> String {
    routes.iter().map(|(to, via)| format!("{to}>{via}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_mask_is_ones_and_then_zeros() {
    for (mask, prefix) in [
        (&[255, 255, 255, 0][..], Some(24)),
        (&[255; 4], Some(32)),
        (&[0; 4], Some(0)),
        (&[255, 0, 255, 0], None),
        (&[255, 255, 255], None),
        (&[], None),
    ] {
        assert_eq!(of(&[(1, mask)]).prefix(), prefix, "{mask:?}");
    }
    assert_eq!(of(&[]).prefix(), None);
}

#[test]
fn static_routes_have_their_class_s_mask() {
    let value = [10, 1, 2, 3, 10, 0, 0, 1, 172, 16, 5, 0, 10, 0, 0, 2, 192, 168, 7, 9, 10, 0, 0, 3];
    assert_eq!(
        text(&of(&[(33, &value)]).static_routes()),
        "10.0.0.0/8>10.0.0.1 172.16.0.0/16>10.0.0.2 192.168.7.0/24>10.0.0.3"
    );
    assert_eq!(text(&of(&[(33, &value[..8])]).static_routes()), "10.0.0.0/8>10.0.0.1");
    assert_eq!(text(&of(&[(33, &value[..12])]).static_routes()), "", "half a pair");
    assert_eq!(text(&of(&[(33, &value[..7])]).static_routes()), "", "half an address");
    assert_eq!(text(&of(&[(33, &[0; 8])]).static_routes()), "", "no default route");
}

#[test]
fn classless_routes_have_as_many_bytes_as_count() {
    let value = [0, 10, 0, 0, 1, 24, 192, 168, 9, 10, 0, 0, 2, 32, 1, 2, 3, 4, 0, 0, 0, 0];
    let routes = of(&[(121, &value)]).classless_routes().unwrap();
    assert_eq!(text(&routes), "0.0.0.0/0>10.0.0.1 192.168.9.0/24>10.0.0.2 1.2.3.4/32>0.0.0.0");
    for bad in [&[33, 1, 2, 3, 4, 5, 1, 1, 1, 1][..], &[24, 1, 2], &[255], &[8, 10, 1, 1, 1], &[]] {
        assert_eq!(of(&[(121, bad)]).classless_routes(), None, "{bad:?}");
    }
}

#[test]
fn what_goes_into_a_resolver_configuration_is_a_name() {
    for (value, wanted) in [
        (&b"example.org"[..], Some("example.org")),
        (b"example.org.\0", Some("example.org")),
        (b"a\nnameserver 6.6.6.6", None),
        (b"a b", None),
        (b"", None),
        (b"\xff", None),
    ] {
        assert_eq!(of(&[(15, value)]).domain().as_deref(), wanted, "{value:?}");
    }
}

#[test]
fn mtu_below_what_every_host_takes_is_none() {
    assert_eq!(of(&[(26, &[5, 220])]).mtu(), Some(1500));
    assert_eq!(of(&[(26, &[2, 63])]).mtu(), None);
    assert_eq!(of(&[(26, &[1])]).mtu(), None);
}
