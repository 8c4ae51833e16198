//! `tuning`: what ADD changes, DEL restores, CHECK and GC find; both directions of upgrade; bad input.

use cni_tests::{Call, Conf, Container, Host, Place, Snapshot, Trace, in_every_version, needs};
use serde_json::{Value, json};

const BACKUP: &str = "/run/cni/tuning/pod_eth0.json";

/// A host with a pod on a pair, and the configuration of a `tuning` behind it.
fn attached(host: &Host) -> (Container, Conf) {
    let pod = host.container("pod");
    host.run("ip link add host0 type veth peer name eth0 netns pod");
    (pod, conf("1.0.0"))
}

fn conf(version: &str) -> Conf {
    let interfaces = json!([{ "name": "host0" }, { "name": "eth0", "sandbox": "/run/netns/pod" }]);
    let prev = if version < "0.3.0" {
        json!({ "cniVersion": version, "ip4": { "ip": "10.1.0.2/24" } })
    } else {
        json!({ "cniVersion": version, "interfaces": interfaces })
    };
    Conf::new(json!({ "cniVersion": version, "name": "net", "type": "tuning" })).prev(&prev)
}

fn everything(conf: Conf) -> Conf {
    conf.set("mac", "0a:00:00:00:00:0A")
        .set("mtu", 1400)
        .set("promisc", true)
        .set("allmulti", true)
        .set("txQLen", 77)
}

/// The attributes as `ip` has them: MAC, MTU, promiscuous, all multicast, queue length.
fn attributes(pod: &Container) -> (String, u64, bool, bool, u64) {
    let link = pod.link("eth0");
    let flag = |name: &str| link["flags"].as_array().unwrap().iter().any(|f| f == name);
    (
        link["address"].as_str().unwrap().to_owned(),
        link["mtu"].as_u64().unwrap(),
        flag("PROMISC"),
        flag("ALLMULTI"),
        link["txqlen"].as_u64().unwrap(),
    )
}

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
fn a_list_of_numbers_passes_check() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = conf.set("sysctl", json!({ "net.ipv4.ping_group_range": "0 1000" }));
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.sysctl("ipv4/ping_group_range"), "0\t1000");
    host.plugin("tuning").check(&conf, &pod, "eth0").done();
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

#[test]
fn all_multicast_can_be_switched_off_promiscuous_mode_cannot() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    pod.run("ip link set eth0 promisc on allmulticast on");
    let conf = conf.set("promisc", false).set("allmulti", false);
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    let (.., promisc, allmulti, _) = attributes(&pod);
    assert!(promisc && !allmulti);
    host.plugin("tuning").check(&conf, &pod, "eth0").error().says(103, &["promisc", "eth0", "on", "off"]);
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    let (.., promisc, allmulti, _) = attributes(&pod);
    assert!(promisc && allmulti);
}

#[test]
fn check_finds_each_change() {
    let mutations: [(&str, &[&str]); 7] = [
        ("ip link set eth0 address 0a:00:00:00:00:77", &["mac", "0a:00:00:00:00:77", "0a:00:00:00:00:0a"]),
        ("ip link set eth0 mtu 1401", &["mtu", "1401", "1400"]),
        ("ip link set eth0 promisc off", &["promisc", "off"]),
        ("ip link set eth0 allmulticast off", &["allmulti", "off"]),
        ("ip link set eth0 txqueuelen 78", &["txQLen", "78", "77"]),
        ("sysctl -w net.ipv4.conf.eth0.tag=8", &["net.ipv4.conf.IFNAME.tag", "8", "7"]),
        ("ip link del eth0", &["eth0"]),
    ];
    for (mutation, parts) in mutations {
        let host = Host::new();
        let (pod, conf) = attached(&host);
        let conf = everything(conf).set("sysctl", json!({ "net.ipv4.conf.IFNAME.tag": "7" }));
        let result = host.plugin("tuning").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        host.plugin("tuning").check(&conf, &pod, "eth0").done();
        pod.run(mutation);
        host.plugin("tuning").check(&conf, &pod, "eth0").error().says(103, parts);
    }
}

type Suite = fn(&Host, &str) -> Call;
const OURS: Suite = |host, plugin| host.plugin(plugin);
const REFERENCE: Suite = |host, plugin| host.reference(plugin);

fn handover(from: Suite, to: Suite) {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = attributes(&pod);
    // Debian's 1.1.1 does not know txQLen, and its CHECK compares MAC addresses as texts.
    let all = everything(conf.clone()).set("mac", "0a:00:00:00:00:0a").remove("txQLen");
    let single = [("mtu", json!(1300)), ("promisc", json!(true)), ("allmulti", json!(true))];
    let confs = single.into_iter().map(|(key, value)| conf.clone().set(key, value));
    for conf in confs.chain([all]) {
        let result = from(&host, "tuning").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        to(&host, "tuning").check(&conf, &pod, "eth0").done();
        assert_ne!(attributes(&pod), before);
        to(&host, "tuning").del(&conf, &pod, "eth0").done();
        assert_eq!(attributes(&pod), before, "{}", conf.text());
        assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty());
    }
}

#[test]
fn what_the_reference_changed_we_restore() {
    needs!(Reference);
    handover(REFERENCE, OURS);
}

#[test]
fn what_we_changed_the_reference_restores() {
    needs!(Reference);
    handover(OURS, REFERENCE);
}

#[test]
fn del_of_a_container_that_is_gone_removes_the_backup() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let files = || host.snapshot().lines_with("file /run/cni/tuning").len();
    for (gone, netns) in [("ip link del eth0", true), ("ip link set eth0 name other", true), ("true", false)]
    {
        host.try_run("ip link add host0 type veth peer name eth0 netns pod");
        host.plugin("tuning").add(&everything(conf.clone()), &pod, "eth0").result();
        assert_eq!(files(), 1);
        pod.run(gone);
        let call = host.plugin("tuning");
        let call = if netns { call } else { call.without("CNI_NETNS") };
        call.del(&conf.clone().remove("prevResult"), &pod, "eth0").done();
        assert_eq!(files(), 0, "{gone}");
        pod.try_run("ip link del other");
    }
}

#[test]
fn del_with_a_backup_that_nobody_can_read_succeeds() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    for garbage in ["", "{", "[]", "{\"mtu\": -1}", "{\"mac\": \"nonsense\"}"] {
        host.run("mkdir -p /run/cni/tuning");
        std::fs::write(BACKUP, garbage).unwrap();
        let outcome = host.plugin("tuning").del(&conf, &pod, "eth0");
        outcome.done();
        assert!(outcome.stderr.contains(BACKUP), "{garbage}: {outcome:?}");
        assert!(host.snapshot().lines_with(BACKUP).is_empty());
    }
    host.run(&format!("mkfifo {BACKUP}"));
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
}

#[test]
fn del_needs_nothing_but_the_data_directory() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = attributes(&pod);
    let conf = conf.set("dataDir", "/run/elsewhere/deep");
    host.plugin("tuning").add(&everything(conf.clone()), &pod, "eth0").result();
    assert!(std::fs::exists("/run/elsewhere/deep/pod_eth0.json").unwrap());
    let nonsense = conf.remove("prevResult").set("mtu", "x").set("sysctl", 7).set("mac", "y");
    host.plugin("tuning").env("CNI_ARGS", "nonsense").del(&nonsense, &pod, "eth0").done();
    assert_eq!(attributes(&pod), before);
    assert!(!std::fs::exists("/run/elsewhere/deep/pod_eth0.json").unwrap());
}

#[test]
fn gc_removes_backups_of_this_network_that_are_not_valid() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = conf("1.1.0").set("mtu", 1400);
    let other = conf.clone().set("name", "other");
    for (ifname, conf) in [("eth0", &conf), ("eth1", &conf), ("eth2", &other)] {
        host.run(&format!("ip link add {ifname} netns pod type veth peer name h{ifname}"));
        host.plugin("tuning").add(conf, &pod, ifname).result();
    }
    let left = || {
        let names = host.run("ls -A /run/cni/tuning");
        names.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // Not ours: the reference's, somebody's, and no file at all.
    host.sh(
        "cd /run/cni/tuning; echo '{\"mtu\":1}' > old_eth0.json; echo x > notes; mkdir d.json; mkfifo f.json",
    );
    let others = ["d.json", "f.json", "notes", "old_eth0.json"];
    host.plugin("tuning").gc(&conf, &[(&pod, "eth0"), (&pod, "eth1")]).done();
    assert_eq!(left().len(), 3 + others.len());
    host.plugin("tuning").gc(&conf, &[(&pod, "eth0")]).done();
    assert_eq!(left(), ["d.json", "f.json", "notes", "old_eth0.json", "pod_eth0.json", "pod_eth2.json"]);
    host.plugin("tuning").gc(&conf, &[]).done();
    host.plugin("tuning").gc(&other, &[]).done();
    assert_eq!(left(), others);
    host.run("rm -r /run/cni/tuning");
    host.plugin("tuning").gc(&conf, &[]).done();
    host.plugin("tuning").run("GC", conf.text().as_bytes()).error().says(7, &["valid-attachments"]);
}

/// `/etc` is the machine's: the test works on a copy that only its host sees.
fn own_etc(host: &Host) {
    host.sh("mkdir /run/etc && cp -a /etc/. /run/etc && mount --bind /run/etc /etc && rm -rf /etc/cni");
}

#[test]
fn the_allow_list_decides_on_the_key_as_it_is_written() {
    let host = Host::new();
    own_etc(&host);
    let (pod, conf) = attached(&host);
    let list = "/etc/cni/tuning/allowlist.conf";
    host.run("mkdir -p /etc/cni/tuning");
    let call = |key: &str| {
        let conf = conf.clone().set("sysctl", json!({ "net.core.somaxconn": "111", key: "1" }));
        host.plugin("tuning").add(&conf, &pod, "eth0")
    };
    let key = "net.ipv4.conf.IFNAME.arp_filter";
    call(key).result();
    for allowing in [r"^net\.ipv4\.conf\.IFNAME\.[a-z_]*$", "arp_f", "  arp|nothing  \n\n"] {
        std::fs::write(list, format!("somaxconn\n{allowing}\n")).unwrap();
        call(key).result();
    }
    std::fs::write(list, "somaxconn\n^arp\n").unwrap();
    call(key).error().says(7, &["IFNAME.arp_filter", list]);
    std::fs::write(list, "").unwrap();
    pod.run("sysctl -w net.core.somaxconn=4096");
    call(key).error().says(7, &["net.core.somaxconn", list]);
    assert_eq!(pod.sysctl("core/somaxconn"), "4096", "nothing is written before all is allowed");
    // Sysctls alone are what the list is about.
    host.plugin("tuning").add(&conf.clone().set("mtu", 1400), &pod, "eth0").result();
    // args.cni is what users can write.
    let args = conf.clone().set("args", json!({ "cni": { "sysctl": { key: "1" } } }));
    host.plugin("tuning").add(&args, &pod, "eth0").error().says(7, &["IFNAME.arp_filter", list]);
}

#[test]
fn a_strict_node_without_a_list_allows_no_sysctl() {
    let host = Host::new();
    own_etc(&host);
    let (pod, conf) = attached(&host);
    let conf = conf.version("1.1.0").remove("prevResult").prev(&json!({ "cniVersion": "1.1.0" }));
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "111" }));
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    host.sh("mkdir -p /etc/cni/tuning; touch /etc/cni/tuning/strict");
    host.plugin("tuning").add(&conf, &pod, "eth0").error().says(7, &["somaxconn", "/etc/cni/tuning/strict"]);
    host.plugin("tuning").status(&conf).error().says(50, &["somaxconn", "/etc/cni/tuning/strict"]);
    std::fs::write("/etc/cni/tuning/allowlist.conf", "somaxconn").unwrap();
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
}

#[test]
fn a_list_that_cannot_be_read_is_no_missing_list() {
    let host = Host::new();
    own_etc(&host);
    let (pod, conf) = attached(&host);
    let conf = conf.version("1.1.0").remove("prevResult").prev(&json!({ "cniVersion": "1.1.0" }));
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "111" }));
    host.plugin("tuning").status(&conf).done();
    host.run("mkdir -p /etc/cni/tuning/allowlist.conf");
    let error = host.plugin("tuning").add(&conf, &pod, "eth0").error();
    error.says(5, &["/etc/cni/tuning/allowlist.conf", "EISDIR"]);
    host.plugin("tuning").status(&conf).error().says(50, &["/etc/cni/tuning/allowlist.conf"]);
    host.run("rmdir /etc/cni/tuning/allowlist.conf");
    std::fs::write("/etc/cni/tuning/allowlist.conf", "fine\n[unclosed\n").unwrap();
    host.plugin("tuning").add(&conf, &pod, "eth0").error().says(7, &["line 2", "[unclosed"]);
    host.plugin("tuning").status(&conf).error().says(50, &["line 2", "[unclosed"]);
    std::fs::write("/etc/cni/tuning/allowlist.conf", "net.core").unwrap();
    host.plugin("tuning").status(&conf).done();
}

#[test]
fn status_says_that_no_backup_could_be_written() {
    let host = Host::new();
    let before = host.snapshot();
    let conf = conf("1.1.0");
    host.plugin("tuning").status(&conf).done();
    host.snapshot().assert_same_as(&before, "STATUS");
    host.sh("mkdir -p /run/cni /run/ro; mount -t tmpfs -o ro tmpfs /run/ro; touch /run/cni/tuning");
    host.plugin("tuning").status(&conf).error().says(50, &["/run/cni/tuning"]);
    host.plugin("tuning").status(&conf.set("dataDir", "/run/ro/a/b")).error().says(50, &["/run/ro", "EROFS"]);
    host.plugin("tuning").status(&self::conf("1.0.0")).error().says(1, &["STATUS"]);
}

fn refused(host: &Host, pod: &Container, text: &str) -> cni_tests::CniError {
    let state = |host: &Host| -> (Snapshot, _, String) {
        (host.snapshot(), attributes(pod), pod.sysctl("core/somaxconn"))
    };
    let before = state(host);
    let env = [("CNI_CONTAINERID", "pod"), ("CNI_NETNS", "/run/netns/pod"), ("CNI_IFNAME", "eth0")];
    let call = env.iter().fold(host.plugin("tuning"), |call, (name, value)| call.env(name, value));
    let error = call.run("ADD", text.as_bytes()).error();
    let after = state(host);
    after.0.assert_same_as(&before.0, &format!("{text}: {error:?}"));
    assert_eq!((after.1, after.2), (before.1, before.2), "{text}");
    error
}

#[test]
fn bad_input_names_the_key_and_changes_nothing() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let outside = "/proc/sys/net";
    let long = format!("net.core.{}", "x".repeat(300));
    let cases: Vec<(&str, Value, u64, Vec<&str>)> = vec![
        ("mac", json!("0a:00:00:00:00"), 7, vec!["mac", "0a:00:00:00:00"]),
        ("mac", json!("01:00:00:00:00:01"), 7, vec!["mac", "one interface"]),
        ("mac", json!(7), 6, vec!["mac"]),
        ("mtu", json!(-1), 7, vec!["mtu", "-1", "68"]),
        ("mtu", json!(70_000), 7, vec!["mtu", "70000", "65535"]),
        ("mtu", json!("1400"), 6, vec!["mtu"]),
        ("txQLen", json!(-5), 7, vec!["txQLen", "-5", "4294967295"]),
        ("txQLen", json!(1.5), 6, vec!["txQLen"]),
        ("promisc", json!("yes"), 6, vec!["promisc"]),
        ("allmulti", json!(1), 6, vec!["allmulti"]),
        ("runtimeConfig", json!({ "mac": "x" }), 7, vec!["runtimeConfig.mac", "x"]),
        ("args", json!({ "cni": { "mac": "x" } }), 7, vec!["args.cni.mac", "x"]),
        ("args", json!({ "cni": { "mtu": 1 } }), 7, vec!["mtu", "68"]),
        (
            "args",
            json!({ "cni": { "sysctl": { "kernel.hostname": "x" } } }),
            7,
            vec!["kernel.hostname", outside],
        ),
        ("args", json!({ "cni": { "sysctl": [] } }), 6, vec!["args.cni.sysctl"]),
        ("sysctl", json!([]), 6, vec!["sysctl"]),
        ("sysctl", json!({ "net.core.somaxconn": 1 }), 6, vec!["net.core.somaxconn", "string"]),
        ("sysctl", json!({ "kernel.hostname": "x" }), 7, vec!["kernel.hostname", outside]),
        ("sysctl", json!({ "net/../kernel/hostname": "x" }), 7, vec!["net/../kernel", outside]),
        ("sysctl", json!({ "net.//.kernel.hostname": "x" }), 7, vec!["kernel.hostname", outside]),
        ("sysctl", json!({ "/proc/sys/net/core/somaxconn": "1" }), 7, vec!["somaxconn", outside]),
        ("sysctl", json!({ "net.core.\u{0}": "1" }), 7, vec!["net.core", outside]),
        ("sysctl", json!({ "": "1" }), 7, vec!["sysctl", outside]),
        ("sysctl", json!({ "net.core.no_such_thing": "1" }), 100, vec!["no_such_thing", "No such file"]),
        ("sysctl", json!({ "net.core": "1" }), 100, vec!["net.core"]),
        ("sysctl", json!({ long.clone(): "1" }), 100, vec!["net.core.xxx"]),
        ("sysctl", json!({ "net.core.somaxconn": "many" }), 100, vec!["net.core.somaxconn", "many"]),
        // The first is written, and taken back.
        ("sysctl", json!({ "net.core.somaxconn": "99", "net.core.none": "1" }), 100, vec!["net.core.none"]),
    ];
    for (key, value, code, parts) in cases {
        refused(&host, &pod, &conf.clone().set(key, value).text()).says(code, &parts);
    }
    let error = refused(&host, &pod, &conf.clone().remove("prevResult").set("mtu", 1400).text());
    error.says(7, &["prevResult"]);
}

#[test]
fn duplicated_sysctls_are_refused() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let twice = |sysctl: &str| conf.text().replacen('{', &format!("{{\"sysctl\":{sysctl},"), 1);
    for sysctl in [
        r#"{"net.core.somaxconn":"1","net.core.somaxconn":"1"}"#,
        r#"{"net.core.somaxconn":"1","net.ipv4.ip_forward":"1","net/core/somaxconn":"2"}"#,
        r#"{"net.ipv4.conf.IFNAME.tag":"1","net.ipv4.conf.eth0.tag":"2"}"#,
    ] {
        refused(&host, &pod, &twice(sysctl)).says(7, &["duplicated", "sysctl"]);
    }
}

#[test]
fn an_interface_name_with_a_slash_is_refused() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = conf.set("sysctl", json!({ "net.ipv4.conf.IFNAME.tag": "1" }));
    for name in ["a/b", "../all", "/"] {
        host.plugin("tuning").add(&conf, &pod, name).error().says(4, &["invalid character"]);
    }
    for name in ["..", "."] {
        host.plugin("tuning").add(&conf, &pod, name).error().says(4, &["relative"]);
    }
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = host.snapshot();
    host.plugin("tuning")
        .add(&conf.clone().set("mtu", 1400), &pod, "eth7")
        .error()
        .says(100, &["eth7", "/run/netns/pod"]);
    host.plugin("tuning").add(&conf, &pod, "eth7").result();
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

#[test]
fn an_add_whose_nth_request_is_refused_changes_nothing() {
    needs!(Strace);
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = everything(conf).set("sysctl", json!({ "net.core.somaxconn": "99" }));
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("tuning").under(&trace.command()).add(&conf, &pod, "eth0").result();
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    pod.run("sysctl -w net.core.somaxconn=4096");
    let state = || (host.snapshot(), attributes(&pod), pod.sysctl("core/somaxconn"));
    let before = state();
    let requests = trace.request_lengths();
    assert_eq!(requests.len(), 6, "a look-up and five attributes");
    for (n, length) in requests.into_iter().enumerate() {
        let trace = Trace::refusing(n + 1, length);
        host.plugin("tuning").under(&trace.command()).add(&conf, &pod, "eth0").error();
        let after = state();
        after.0.assert_same_as(&before.0, &format!("request {n}"));
        assert_eq!((after.1, after.2), (before.1.clone(), before.2.clone()), "request {n}");
    }
}

#[test]
fn a_killed_add_is_undone_by_del() {
    needs!(Strace);
    let steps = "sendto,openat,rename,mkdir,write";
    for n in 1..200 {
        let host = Host::new();
        let (pod, conf) = attached(&host);
        let before = attributes(&pod);
        let trace = Trace::new(&[&format!("trace={steps}"), &format!("inject={steps}:signal=KILL:when={n}")]);
        host.plugin("tuning").under(&trace.command()).add(&everything(conf.clone()), &pod, "eth0");
        let killed = trace.lines().iter().any(|line| line.contains("killed by SIGKILL"));
        host.plugin("tuning").del(&conf, &pod, "eth0").done();
        assert_eq!(attributes(&pod), before, "killed at call {n}");
        assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty(), "killed at call {n}");
        if !killed {
            assert!(n > 10, "nothing was injected");
            return;
        }
    }
    panic!("200 calls");
}

#[test]
fn a_full_disk_changes_nothing() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    host.sh("mkdir /run/full; mount -t tmpfs -o size=4k tmpfs /run/full; \
        dd if=/dev/zero of=/run/full/fill bs=4k count=4 2>/dev/null || true");
    let before = attributes(&pod);
    let conf = everything(conf).set("dataDir", "/run/full");
    let error = host.plugin("tuning").add(&conf, &pod, "eth0").error();
    error.says(5, &["/run/full/pod_eth0.json", "ENOSPC"]);
    assert_eq!(attributes(&pod), before);
    assert_eq!(host.run("ls -A /run/full"), "fill\n");
}

#[test]
fn twenty_at_once_leave_nothing() {
    let host = Host::new();
    host.run("mkdir -p /run/cni/tuning");
    let conf = conf("1.0.0");
    let pods: Vec<_> = (0..20)
        .map(|n| {
            host.run(&format!("ip netns add pod{n}"));
            host.run(&format!("ip link add eth0 netns pod{n} type veth peer name host{n}"));
            n
        })
        .collect();
    let before = host.snapshot();
    for verb in ["ADD", "DEL"] {
        std::thread::scope(|scope| {
            for n in &pods {
                let (host, conf) = (&host, everything(conf.clone()).text());
                scope.spawn(move || {
                    let call = host.plugin("tuning").env("CNI_CONTAINERID", format!("pod{n}"));
                    let call = call.env("CNI_NETNS", format!("/run/netns/pod{n}")).env("CNI_IFNAME", "eth0");
                    assert_eq!(call.run(verb, conf.as_bytes()).exit, Some(0));
                });
            }
        });
        let files = host.snapshot().lines_with("file /run/cni/tuning").len();
        assert_eq!(files, if verb == "ADD" { 20 } else { 0 });
    }
    host.snapshot().assert_same_as(&before, "20 DELs");
}
