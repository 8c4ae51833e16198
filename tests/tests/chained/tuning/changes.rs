//! What ADD changes and DEL restores, from every source of values.

use cni_tests::{Host, Place, in_every_version};
use serde_json::{Value, json};

use crate::tuning::{BACKUP, attached, attributes, conf, everything};

in_every_version!(round_trip as every_version);

fn round_trip(version: &str) {
    let host = Host::new();
    let (pod, _) = attached(&host);
    let before = attributes(&pod);
    let conf = everything(conf(version)).set("sysctl", json!({ "net.ipv4.conf.IFNAME.arp_filter": "1" }));
    let result = host.plugin("tuning").add(&conf, &pod, "eth0").result();
    assert_eq!(attributes(&pod), ("0a:00:00:00:00:0a".to_owned(), 1400, true, true, 77));
    assert_eq!(pod.sysctl("ipv4/conf/eth0/arp_filter"), "1");
    if version >= "0.3.0" {
        assert_eq!(result["interfaces"][1]["mac"], "0a:00:00:00:00:0A", "as the configuration writes it");
        assert_eq!(result["interfaces"][0].get("mac"), None);
    }
    if version >= "0.4.0" {
        host.plugin("tuning").check(&conf.clone().prev(&result), &pod, "eth0").done();
    }
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    assert_eq!(attributes(&pod), before);
    assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty());
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
}

#[test]
fn the_backup_holds_what_is_changed_and_only_that() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let backup = || -> Value { serde_json::from_str(&host.run(&format!("cat {BACKUP}"))).unwrap() };
    let (mac, ..) = attributes(&pod);
    for (key, value, before) in [
        ("mac", json!("0a:00:00:00:00:0b"), json!(mac)),
        ("mtu", json!(1300), json!(1500)),
        ("promisc", json!(true), json!(false)),
        ("allmulti", json!(false), json!(false)),
        ("txQLen", json!(0), json!(1000)),
    ] {
        let conf = conf.clone().set(key, value);
        host.plugin("tuning").add(&conf, &pod, "eth0").result();
        let mut backup = backup();
        let owner = backup.as_object_mut().unwrap().remove("owner").unwrap();
        assert!(owner.as_str().unwrap().ends_with("net: net, if: eth0, id: pod"), "{owner}");
        assert_eq!(backup, json!({ key: before }));
        assert_eq!(host.run(&format!("stat -c %a {BACKUP}")), "600\n");
        host.plugin("tuning").del(&conf, &pod, "eth0").done();
    }
}

#[test]
fn sysctls_alone_leave_no_backup() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = host.snapshot();
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "321" }));
    let result = host.plugin("tuning").add(&conf, &pod, "eth0").result();
    assert_eq!(result, serde_json::from_str::<Value>(&conf.text()).unwrap()["prevResult"], "passed through");
    assert_eq!(pod.sysctl("core/somaxconn"), "321");
    assert_ne!(host.sysctl("core/somaxconn"), "321", "the host's own stays");
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn a_name_with_a_dot_is_one_part_of_a_sysctl() {
    let host = Host::new();
    let pod = host.container("pod");
    host.run("ip link add host0 type veth peer name eth0.5 netns pod");
    let conf = conf("1.0.0");
    for (n, key) in [
        "net.ipv4.conf.IFNAME.tag",
        "net/ipv4/conf/IFNAME/tag",
        "net.ipv4.conf.eth0/5.tag",
        "net/ipv4/conf/eth0.5/tag",
    ]
    .into_iter()
    .enumerate()
    {
        let value = (n + 10).to_string();
        let conf = conf.clone().set("sysctl", json!({ key: value }));
        host.plugin("tuning").add(&conf, &pod, "eth0.5").result();
        assert_eq!(pod.sysctl("ipv4/conf/eth0.5/tag"), value, "{key}");
        host.plugin("tuning").check(&conf, &pod, "eth0.5").done();
    }
}

#[test]
fn the_sources_of_a_value_and_which_one_wins() {
    let (own, env, runtime, args) =
        ("0a:00:00:00:00:01", "0a:00:00:00:00:02", "0a:00:00:00:00:03", "0a:00:00:00:00:04");
    for (sources, wins) in
        [(1, own), (3, env), (2, env), (7, runtime), (5, runtime), (15, args), (9, args), (10, args)]
    {
        let host = Host::new();
        let (pod, mut conf) = attached(&host);
        let mut call = host.plugin("tuning");
        if sources & 1 != 0 {
            conf = conf.set("mac", own);
        }
        if sources & 2 != 0 {
            call = call.env("CNI_ARGS", format!("IgnoreUnknown=1;K8S_POD_NAME=x;MAC={env}"));
        }
        if sources & 4 != 0 {
            conf = conf.set("runtimeConfig", json!({ "mac": runtime }));
        }
        if sources & 8 != 0 {
            conf = conf.set("args", json!({ "cni": { "mac": args } }));
        }
        call.add(&conf, &pod, "eth0").result();
        assert_eq!(pod.link("eth0")["address"], wins, "sources {sources:b}");
    }
}

#[test]
fn args_replace_the_plugins_own_keys() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = attributes(&pod);
    let all = json!({ "mac": "0a:00:00:00:00:0c", "mtu": 1450, "promisc": true, "allmulti": true, "txQLen": 9,
        "sysctl": { "net.ipv4.conf.IFNAME.tag": "5", "net.core.somaxconn": "99" } });
    let conf = conf.set("args", json!({ "cni": all }));
    let own = everything(conf.clone())
        .set("promisc", false)
        .set("sysctl", json!({ "net.ipv4.conf.eth0.tag": "4" }));
    for conf in [own, conf] {
        host.plugin("tuning").add(&conf, &pod, "eth0").result();
        assert_eq!(attributes(&pod), ("0a:00:00:00:00:0c".to_owned(), 1450, true, true, 9));
        assert_eq!(
            (pod.sysctl("ipv4/conf/eth0/tag"), pod.sysctl("core/somaxconn")),
            ("5".into(), "99".into())
        );
        host.plugin("tuning").check(&conf, &pod, "eth0").done();
        host.plugin("tuning").del(&conf, &pod, "eth0").done();
        assert_eq!(attributes(&pod), before);
    }
}
