//! DEL without a container, GC, STATUS.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::tuning::{BACKUP, attached, attributes, conf, everything};

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
fn del_leaves_what_was_changed_since() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = attributes(&pod);
    let conf = everything(conf);
    for (change, changed) in [
        ("mtu 1280", (before.0.clone(), 1280, false, false, before.4)),
        ("address 02:00:00:00:00:77", ("02:00:00:00:00:77".to_owned(), before.1, false, false, before.4)),
        ("allmulticast off", before.clone()),
        ("txqueuelen 5", (before.0.clone(), before.1, false, false, 5)),
    ] {
        host.plugin("tuning").add(&conf, &pod, "eth0").result();
        pod.run(&format!("ip link set eth0 {change}"));
        host.plugin("tuning").del(&conf, &pod, "eth0").done();
        assert_eq!(attributes(&pod), changed, "{change}");
        assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty());
        pod.run(&format!("ip link set eth0 address {} mtu {} txqueuelen {}", before.0, before.1, before.4));
    }
}

/// A late DEL: another container has the path of the namespace, and an interface of the same name in it.
#[test]
fn del_leaves_another_containers_interface_alone() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let mac = attributes(&pod).0;
    for own_mac in [false, true] {
        let interface = json!({ "name": "eth0", "sandbox": "/run/netns/pod", "mac": mac });
        let conf = conf.clone().prev(&json!({ "cniVersion": "1.0.0", "interfaces": [interface] }));
        let conf = if own_mac { everything(conf) } else { conf.set("mtu", 1400) };
        let result = host.plugin("tuning").add(&conf, &pod, "eth0").result();
        pod.run("ip link del eth0");
        pod.remove_netns();
        let pod = host.container("pod");
        host.run("ip link add host0 type veth peer name eth0 netns pod");
        pod.run("ip link set eth0 mtu 1400 txqueuelen 77");
        let before = attributes(&pod);
        host.plugin("tuning").del(&conf.prev(&result), &pod, "eth0").done();
        assert_eq!(attributes(&pod), before);
        assert!(host.snapshot().lines_with("file /run/cni/tuning").is_empty());
        pod.run(&format!("ip link set eth0 address {mac} mtu 1500 txqueuelen 1000"));
    }
}

#[test]
fn an_add_again_keeps_what_the_first_one_found() {
    let host = Host::new();
    let (pod, conf) = (host.container("pod"), conf("1.0.0"));
    host.run("ip link add base type veth peer name other");
    host.run("ip link add link base name eth0 netns pod type macvlan");
    let before = attributes(&pod);
    let all = everything(conf);
    host.plugin("tuning").add(&all, &pod, "eth0").result();
    let backup = std::fs::read_to_string(BACKUP).unwrap();
    host.plugin("tuning").add(&all, &pod, "eth0").result();
    assert_eq!(std::fs::read_to_string(BACKUP).unwrap(), backup);
    // One that fails takes back what it did itself: a macvlan's MTU is at most that of its master.
    let refused = all.clone().set("mtu", 9000).set("mac", "0a:00:00:00:00:0b");
    host.plugin("tuning").add(&refused, &pod, "eth0").error();
    assert_eq!(std::fs::read_to_string(BACKUP).unwrap(), backup);
    host.plugin("tuning").del(&all, &pod, "eth0").done();
    assert_eq!(attributes(&pod), before);
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
    host.plugin("tuning").run("GC", conf.text().as_bytes()).freed_nothing();
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
    host.plugin("tuning").status(&crate::tuning::conf("1.0.0")).error().says(1, &["STATUS"]);
}

/// The second ADD's result cannot be told: the runtime still has the first one's.
#[test]
fn an_add_again_that_cannot_be_told_leaves_the_first_as_it_was() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = everything(conf);
    let before = attributes(&pod);
    let full = || host.plugin("tuning").under(&["sh", "-c", "exec \"$@\" > /dev/full", "sh"]);
    assert_eq!(full().add(&conf, &pod, "eth0").exit, Some(1));
    assert_eq!(attributes(&pod), before, "the first is taken back");
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    let made = (attributes(&pod), host.snapshot().lines_with("file /run/cni/tuning").len());
    assert_eq!(full().add(&conf, &pod, "eth0").exit, Some(1));
    assert_eq!((attributes(&pod), host.snapshot().lines_with("file /run/cni/tuning").len()), made);
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    assert_eq!(attributes(&pod), before);
}
