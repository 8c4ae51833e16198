//! DEL and CHECK.

use serde_json::{Value, json};

use crate::run::{Call, DataDir};

#[test]
fn del_needs_only_the_name_and_the_data_directory() {
    let data = DataDir::new();
    let good = data.subnet("10.1.2.0/24");
    let mut bare = data.conf(json!({}));
    bare["ipam"].as_object_mut().unwrap().remove("type");
    let mut many = data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}]] }));
    many["cniVersion"] = "0.2.0".into();
    let mut odd = data.conf(json!({ "ranges": "none", "resolvConf": "/nonexistent", "routes": 7 }));
    odd["prevResult"] = json!("garbage");
    odd["runtimeConfig"] = json!({ "ips": ["x"] });
    for (conf, args) in [(&good, ""), (&good, "IP"), (&bare, ""), (&many, ""), (&odd, "=;=")] {
        Call::new("ADD", "a").run(&good).ips();
        Call::new("ADD", "a").env("CNI_IFNAME", "eth1").run(&good).ips();
        Call::new("DEL", "a").env("CNI_ARGS", args).env("CNI_NETNS", "").run(conf).done();
        assert_eq!(data.reservations().into_values().collect::<Vec<_>>(), ["a\r\neth1"], "{conf}");
        Call::new("DEL", "a").env("CNI_IFNAME", "eth1").run(conf).done();
        assert!(data.reservations().is_empty());
    }
}

#[test]
fn del_of_anything_twice_and_before_the_first_add_succeeds() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/24");
    Call::new("DEL", "a").run(&conf).done();
    assert!(!data.network().exists(), "DEL makes nothing");
    Call::new("ADD", "a").run(&conf).ips();
    for id in ["b", "a", "a"] {
        Call::new("DEL", id).run(&conf).done();
    }
    assert!(data.reservations().is_empty());
    assert_eq!(data.files()["last_reserved_ip.0"], "10.1.2.2", "the round robin goes on");
}

#[test]
fn the_oldest_format_is_released_when_nothing_newer_is_there() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/24");
    data.write("10.1.2.7", b"a");
    data.write("10.1.2.8", b"a\r\neth0\n");
    data.write("10.1.2.9", b"ab");
    Call::new("CHECK", "a").run(&conf).done();
    Call::new("DEL", "a").run(&conf).done();
    assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.1.2.7", "10.1.2.9"]);
    Call::new("CHECK", "a").run(&conf).done();
    Call::new("DEL", "a").run(&conf).done();
    assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.1.2.9"]);
}

#[test]
fn check_compares_the_files_with_the_previous_result() {
    let data = DataDir::new();
    let mut conf =
        data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "2001:db8::/64"}]] }));
    let check = |conf: &Value, id: &str| Call::new("CHECK", id).run(conf);
    let text = "host-local: Failed to find address added by container a;";
    let (code, found) = check(&conf, "a").error();
    assert!(code == 103 && found.starts_with(text) && found.contains("does not exist"), "{found}");
    assert!(!data.network().exists());

    let result = Call::new("ADD", "a").run(&conf).json;
    Call::new("ADD", "b").run(&conf).ips();
    check(&conf, "a").done();
    conf["prevResult"] = result;
    conf["prevResult"]["ips"].as_array_mut().unwrap().push(json!({ "address": "192.0.2.1/24" }));
    check(&conf, "a").done();

    conf["prevResult"]["ips"][0]["address"] = "10.1.2.3/24".into();
    let (code, found) = check(&conf, "a").error();
    assert!(code == 103 && found.starts_with(text), "{found}");
    assert!(found.contains("10.1.2.3, which is held by b (eth0)"), "{found}");
    conf["prevResult"]["ips"][0]["address"] = "10.1.2.99/24".into();
    assert!(check(&conf, "a").error().1.contains("10.1.2.99, which is held by nobody"));

    Call::new("DEL", "a").run(&conf).done();
    let (code, found) = check(&conf, "a").error();
    assert!(code == 103 && found.starts_with(text) && found.contains("no file in"), "{found}");
}
