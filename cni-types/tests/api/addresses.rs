//! Addresses as Go reads and the reference prints them.

use cni_types::{Cidr, Mac, parse_ip, parse_ip_or_cidr};

#[test]
fn ip_texts() {
    for (text, wanted) in [
        ("10.0.0.1", Some("10.0.0.1")),
        ("::ffff:10.0.0.1", Some("10.0.0.1")),
        ("::ffff:a00:1", Some("10.0.0.1")),
        ("2001:DB8:0:0::0001", Some("2001:db8::1")),
        ("0:01ff::", Some("0:1ff::")),
        ("::1.2.3.4", Some("::102:304")),
        ("10.0.0.01", None),
        ("010.0.0.1", None),
        ("10.0.0", None),
        ("10.0.0.256", None),
        ("fe80::1%eth0", None),
        (" 10.0.0.1", None),
        ("", None),
    ] {
        assert_eq!(parse_ip(text).map(|ip| ip.to_string()).as_deref(), wanted, "{text}");
    }
}

#[test]
fn requested_addresses_take_both_forms() {
    for (text, wanted) in [
        ("10.0.0.1", Some("10.0.0.1")),
        ("10.0.0.1/24", Some("10.0.0.1")),
        ("::ffff:10.0.0.1/120", Some("10.0.0.1")),
        ("10.0.0.1/33", None),
        ("10.0.0.1/", None),
        ("/24", None),
        ("x", None),
    ] {
        assert_eq!(parse_ip_or_cidr(text).map(|ip| ip.to_string()).as_deref(), wanted, "{text}");
    }
}

#[test]
fn cidrs_keep_host_bits_and_map_to_ipv4() {
    for (text, wanted) in [
        ("10.1.2.3/16", "10.1.2.3/16"),
        ("10.1.2.3/0", "10.1.2.3/0"),
        ("10.1.2.3/032", "10.1.2.3/32"),
        ("2001:db8::5/64", "2001:db8::5/64"),
        ("::ffff:10.1.2.3/112", "10.1.2.3/16"),
        ("::ffff:0.0.0.0/96", "0.0.0.0/0"),
    ] {
        assert_eq!(text.parse::<Cidr>().unwrap().to_string(), wanted, "{text}");
    }
    for (text, why) in [
        ("10.0.0.1", "<ip>/<prefix length>"),
        ("10.0.0.1/", "<ip>/<prefix length>"),
        ("10.0.0.1/+8", "<ip>/<prefix length>"),
        ("10.0.0.1/24/24", "<ip>/<prefix length>"),
        ("10.0.0/24", "<ip>/<prefix length>"),
        ("10.0.0.01/24", "<ip>/<prefix length>"),
        ("10.0.0.1/33", "0–32"),
        ("10.0.0.1/99999999999", "0–32"),
        ("::1/129", "0–128"),
        ("::ffff:10.0.0.1/95", "96–128"),
    ] {
        let error = text.parse::<Cidr>().unwrap_err();
        assert!(error.starts_with("invalid CIDR address") && error.contains(why), "{text}: {error}");
    }
}

#[test]
fn cidr_arithmetic() {
    let cidr: Cidr = "10.1.2.3/22".parse().unwrap();
    assert_eq!(cidr.network().to_string(), "10.1.0.0");
    assert_eq!(cidr.last().to_string(), "10.1.3.255");
    assert_eq!(cidr.masked().to_string(), "10.1.0.0/22");
    assert!(cidr.contains("10.1.3.255".parse().unwrap()) && !cidr.contains("10.1.4.0".parse().unwrap()));
    let all: Cidr = "0.0.0.0/0".parse().unwrap();
    assert!(all.is_default() && !all.contains("::1".parse().unwrap()), "never across families");
    assert!("::/0".parse::<Cidr>().unwrap().is_default() && !cidr.is_default());
    assert!(!"0.0.0.0/8".parse::<Cidr>().unwrap().is_default());
    assert_eq!(Cidr::host("::1".parse().unwrap()).to_string(), "::1/128");
    assert!(
        Cidr::new("::1".parse().unwrap(), 129).is_none()
            && Cidr::new("1.1.1.1".parse().unwrap(), 33).is_none()
    );
}

#[test]
fn hardware_addresses() {
    for text in ["02:AB:00:00:00:0f", "02-ab-00-00-00-0F", "02ab.0000.000F"] {
        assert_eq!(text.parse::<Mac>().unwrap().to_string(), "02:ab:00:00:00:0f", "{text}");
    }
    for bad in [
        "",
        "02",
        "02:ab:00:00:00",
        "02:ab:00:00:00:0f:00",
        "02:ab:00:00:00:0g",
        "2:ab:0:0:0:f",
        "02:ab-00:00:00:0f",
        "+2:ab:00:00:00:0f",
        "02ab.0000",
        "02ab:0000:000f",
        "02ab0000000f",
        "ä:ab:00:00:00:0f",
    ] {
        assert!(bad.parse::<Mac>().unwrap_err().contains("invalid MAC address"), "{bad}");
    }
}
