//! ADD: which addresses, what result, what files.

use serde_json::{Value, json};

use crate::run::{Call, DataDir};

#[test]
fn one_address_per_range_set_in_every_version() {
    for (version, wanted) in [
        (
            "0.2.0",
            json!({"ip4": {"ip": "10.1.2.2/24", "gateway": "10.1.2.1", "routes": [{"dst": "0.0.0.0/0"}]},
                         "ip6": {"ip": "2001:db8::2/64", "gateway": "2001:db8::1"}, "dns": {}}),
        ),
        (
            "0.4.0",
            json!({"ips": [{"version": "4", "address": "10.1.2.2/24", "gateway": "10.1.2.1"},
                                 {"version": "6", "address": "2001:db8::2/64", "gateway": "2001:db8::1"}],
                         "routes": [{"dst": "0.0.0.0/0"}], "dns": {}}),
        ),
        (
            "1.1.0",
            json!({"ips": [{"address": "10.1.2.2/24", "gateway": "10.1.2.1"},
                                 {"address": "2001:db8::2/64", "gateway": "2001:db8::1"}],
                         "routes": [{"dst": "0.0.0.0/0"}]}),
        ),
    ] {
        let data = DataDir::new();
        let mut conf = data.conf(json!({
            "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "2001:db8::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }));
        conf["cniVersion"] = version.into();
        let mut reply = Call::new("ADD", "a").run(&conf).json;
        assert_eq!(reply["cniVersion"].take(), version);
        reply.as_object_mut().unwrap().remove("cniVersion");
        assert_eq!(reply, wanted);
        let files = data.files().into_iter().collect::<Vec<_>>();
        let wanted = [
            ("10.1.2.2", "a\r\neth0"),
            ("2001:db8::2", "a\r\neth0"),
            ("last_reserved_ip.0", "10.1.2.2"),
            ("last_reserved_ip.1", "2001:db8::2"),
        ];
        assert_eq!(files, wanted.map(|(name, content)| (name.to_owned(), content.to_owned())));
    }
}

#[test]
fn modes_are_the_references_but_nobody_else_can_hold_the_lock() {
    use std::os::unix::fs::PermissionsExt;
    let data = DataDir::new();
    Call::new("ADD", "a").run(&data.subnet("10.1.2.0/24")).ips();
    for (name, mode) in [("", 0o755), ("lock", 0o600), ("10.1.2.2", 0o600), ("last_reserved_ip.0", 0o600)] {
        let found = std::fs::metadata(data.network().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
}

#[test]
fn a_freed_address_is_the_last_to_be_given_out_again() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/29");
    let mut given = Vec::new();
    for i in 0..7 {
        given.extend(Call::new("ADD", "a").run(&conf).ips());
        Call::new("DEL", "a").run(&conf).done();
        assert!(data.reservations().is_empty(), "round {i}");
    }
    assert_eq!(given.join(" ").replace("10.1.2.", "").replace("/29", ""), "2 3 4 5 6 2 3");
}

#[test]
fn requests_come_from_three_places() {
    let data = DataDir::new();
    let mut conf = data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}],
        [{"subnet": "2001:db8::/64"}], [{"subnet": "10.1.4.0/24"}]] }));
    conf["args"] = json!({ "cni": { "ips": ["2001:db8::77/64", ""] } });
    conf["runtimeConfig"] = json!({ "ips": ["10.1.2.9/24", "10.1.2.9"] });
    let reply =
        Call::new("ADD", "a").env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=p;IP=10.1.3.8").run(&conf);
    assert_eq!(reply.ips(), ["10.1.2.9/24", "10.1.3.8/24", "2001:db8::77/64", "10.1.4.2/24"]);
    assert_eq!(data.files()["last_reserved_ip.0"], "10.1.2.9");
}

#[test]
fn resolv_conf_becomes_dns() {
    let data = DataDir::new();
    let resolv = data.path().join("resolv.conf");
    std::fs::write(&resolv, "nameserver 192.0.2.1\nsearch a b\n").unwrap();
    let conf = data.conf(json!({ "subnet": "10.1.2.0/24", "resolvConf": resolv }));
    let reply = Call::new("ADD", "a").run(&conf);
    assert_eq!(reply.json["dns"], json!({ "nameservers": ["192.0.2.1"], "search": ["a", "b"] }));
}

/// The same error class with and without a request, and the first reservation stays.
#[test]
fn the_same_attachment_gets_no_second_address() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/24");
    let add = |args: &str| Call::new("ADD", "a").env("CNI_ARGS", args).run(&conf);
    add("").ips();
    for args in ["", "IP=10.1.2.50", "IP=10.1.2.2"] {
        let (code, text) = add(args).error();
        assert_eq!(code, 104);
        assert!(
            text.contains("10.1.2.2 has been allocated to a, duplicate allocation is not allowed"),
            "{text}"
        );
        assert!(text.contains("10.1.2.2 by ") && text.contains("s ago"), "{text}");
        assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.1.2.2"]);
    }
    assert_eq!(Call::new("ADD", "a").env("CNI_IFNAME", "eth1").run(&conf).ips(), ["10.1.2.3/24"]);
    // The oldest format holds the whole container.
    data.write("10.1.2.9", b"old");
    assert!(Call::new("ADD", "old").run(&conf).error().1.contains("10.1.2.9 has been allocated to old"));
}

/// What fails takes back its own addresses, and only those.
#[test]
fn a_failed_add_frees_what_it_took() {
    let data = DataDir::new();
    let first = data.subnet("10.1.2.0/24");
    Call::new("ADD", "a").run(&first).ips();
    let before = data.reservations();
    let two = data.conf(json!({ "ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.1.2.0/24"}]] }));
    let full = data.conf(json!({ "ranges": [[{"subnet": "10.9.0.0/24"}],
        [{"subnet": "10.8.0.0/30", "rangeEnd": "10.8.0.1"}]] }));
    for (conf, id, args, wanted) in [
        (&two, "a", "", "failed to allocate for range 1: 10.1.2.2 has been allocated to a"),
        (&two, "a", "IP=192.0.2.1", "10.1.2.2 has been allocated to a"),
        (
            &two,
            "b",
            "IP=10.1.2.2",
            "failed to allocate for range 1: requested IP address 10.1.2.2 is not available",
        ),
        (
            &full,
            "b",
            "",
            "failed to allocate for range 1: no IP addresses available in range set: 10.8.0.1-10.8.0.1",
        ),
    ] {
        let (code, text) = Call::new("ADD", id).env("CNI_ARGS", args).run(conf).error();
        assert_eq!((code, data.reservations()), (104, before.clone()), "{text}");
        assert!(text.contains(wanted), "{text}");
    }
    let (code, text) = Call::new("ADD", "b").env("CNI_ARGS", "IP=192.0.2.1").run(&two).error();
    assert!(code == 104 && text.starts_with("failed to allocate all requested IPs: 192.0.2.1;"), "{text}");
    assert_eq!(data.reservations(), before);
}

#[test]
fn a_requested_address_that_cannot_be_had_is_named_with_its_holder() {
    let data = DataDir::new();
    let conf = data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.10",
        "rangeEnd": "10.1.2.20", "gateway": "10.1.2.12"}]] }));
    Call::new("ADD", "a").run(&conf).ips();
    for (ip, wanted) in [
        ("10.1.2.10", "requested IP address 10.1.2.10 is not available in range set 10.1.2.10-10.1.2.20"),
        ("10.1.2.10", "10.1.2.10 is held by a (eth0)"),
        ("10.1.2.12", "requested ip 10.1.2.12 is subnet's gateway"),
        ("10.1.2.9", "failed to allocate all requested IPs: 10.1.2.9"),
        ("10.1.2.21", "failed to allocate all requested IPs: 10.1.2.21"),
    ] {
        let (code, text) = Call::new("ADD", "b").env("CNI_ARGS", &format!("IP={ip}")).run(&conf).error();
        assert!(code == 104 && text.contains(wanted), "{text}");
        assert_eq!(data.reservations().len(), 1);
    }
}

#[test]
fn exhaustion_says_range_used_free_and_directory() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/29");
    for i in 0..5 {
        Call::new("ADD", &format!("c{i}")).run(&conf).ips();
    }
    let (code, text) = Call::new("ADD", "late").run(&conf).error();
    assert_eq!(code, 104);
    let directory = format!("data directory {}", data.network().display());
    for wanted in [
        "failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.6;",
        "range 10.1.2.1-10.1.2.6, used 5, free 0",
        &directory,
        "GC frees",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    Call::new("DEL", "c3").run(&conf).done();
    assert_eq!(Call::new("ADD", "late").run(&conf).ips(), ["10.1.2.5/29"]);
}

/// What a full disk or a crash left in the directory does not use up the range.
#[test]
fn garbage_is_reclaimed() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/29");
    for (ip, content) in
        [("2", &b""[..]), ("3", b"\0\0\0\0"), ("4", b" \n"), ("5", b"\xff"), ("6", b"keep\r\neth0")]
    {
        data.write(&format!("10.1.2.{ip}"), content);
    }
    data.write(".host-local.new", b"half");
    let given: Vec<_> = (0..4).flat_map(|i| Call::new("ADD", &format!("c{i}")).run(&conf).ips()).collect();
    assert_eq!(given, ["10.1.2.2/29", "10.1.2.3/29", "10.1.2.4/29", "10.1.2.5/29"]);
    assert_eq!((data.reservations().len(), &*data.reservations()["10.1.2.6"]), (5, "keep\r\neth0"));
}

/// Also when nothing told that it was there: the content was lost, the directory did not change.
#[test]
fn garbage_is_reclaimed_before_the_range_counts_as_full() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/26");
    for i in 0..61 {
        Call::new("ADD", &format!("c{i}")).run(&conf).ips();
    }
    assert!(data.has_index());
    data.write("10.1.2.33", b"");
    data.write("10.1.2.44", b"");
    assert_eq!(Call::new("ADD", "x").env("CNI_ARGS", "IP=10.1.2.44").run(&conf).ips(), ["10.1.2.44/26"]);
    data.write("10.1.2.44", b"");
    let given: Vec<Value> =
        (0..2).map(|i| Call::new("ADD", &format!("y{i}")).run(&conf).ips().into()).collect();
    assert_eq!(given, [json!(["10.1.2.33/26"]), json!(["10.1.2.44/26"])]);
}
