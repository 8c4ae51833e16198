//! The keys of `tap`, as `ip` shows what they made, and that no `ip` process makes it.

use cni_tests::{Case, Host, Place, Trace, needs};
use serde_json::{Value, json};

use crate::link::tap;

/// The tap after an ADD and a CHECK with this configuration.
fn made(host: &Host, case: &Case) -> Value {
    let pod = host.container("pod");
    let result = case.add(host, &pod).result();
    let link = pod.link("eth0");
    assert_eq!(link["linkinfo"]["info_kind"], "tun");
    let with_result = case.with(|conf| conf.prev(&result));
    with_result.call(host).check(&with_result.conf, &pod, "eth0").done();
    with_result.del(host, &pod).done();
    assert!(pod.find_link("eth0").is_none());
    pod.remove_netns();
    link
}

#[test]
fn it_is_a_tap_that_stays_with_the_reference_s_flags() {
    let host = tap().host();
    let link = made(&host, &tap());
    let data = &link["linkinfo"]["info_data"];
    let flags = ["type", "pi", "vnet_hdr", "multi_queue", "persist"].map(|flag| data[flag].clone());
    assert_eq!(flags, [json!("tap"), json!(false), json!(true), json!(false), json!(true)], "{data}");
    assert!(data["user"].is_null() && data["group"].is_null(), "{data}");
}

#[test]
fn owner_group_and_queues() {
    needs!(UserIds);
    let host = tap().host();
    for (owner, group, multi_queue) in
        [(Some(654_321), None, true), (None, Some(654_322), false), (Some(0), Some(0), true)]
    {
        let case =
            tap().with(|conf| conf.set("owner", owner).set("group", group).set("multiQueue", multi_queue));
        let pod = host.container("pod");
        case.add(&host, &pod).result();
        let link = pod.link("eth0");
        let data = &link["linkinfo"]["info_data"];
        // `ip` writes a number where it knows no name.
        let shown = |key: &str| data.get(key).map(|id| id.to_string().trim_matches('"').to_owned());
        let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
        assert_eq!(shown("user"), owner.map(name), "{data}");
        assert_eq!(shown("group"), group.map(name), "{data}");
        assert_eq!(data["multi_queue"], multi_queue);
        case.del(&host, &pod).done();
        pod.remove_netns();
        made(&host, &case);
    }
}

#[test]
fn mtu_and_mac() {
    let host = tap().host();
    assert_eq!(made(&host, &tap().with(|conf| conf.set("mtu", 9000)))["mtu"], 9000);
    crate::link::macvlan::mac_sources(&tap());
    // With owner and group too, where the reference loses it.
    crate::link::macvlan::mac_sources(&tap().with(|conf| conf.set("owner", 0).set("group", 0)));
}

#[test]
fn bridge_in_the_container() {
    let case = tap().with(|conf| conf.set("bridge", "br0").remove("ipam"));
    let host = case.host();
    let pod = host.container("pod");
    pod.run("ip link add br0 type bridge");
    let result = case.add(&host, &pod).result();
    assert_eq!(pod.link("eth0")["master"], "br0");
    let with_result = case.with(|conf| conf.prev(&result));
    with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
    pod.run("ip link set eth0 nomaster");
    with_result.call(&host).check(&with_result.conf, &pod, "eth0").error().says(103, &["eth0", "br0"]);
    case.del(&host, &pod).done();
    assert!(pod.find_link("eth0").is_none() && pod.find_link("br0").is_some());
}

#[test]
fn without_any_program_in_the_path() {
    needs!(Strace);
    let case = tap().with(|conf| conf.set("mtu", 1400).set("mac", "0a:00:00:00:00:01"));
    let host = case.host();
    let pod = host.container("pod");
    let trace = Trace::new(&["trace=execve"]);
    let strace = which("strace");
    let mut words = trace.command();
    words[0] = &strace;
    case.call(&host).env("PATH", "").under(&words).add(&case.conf, &pod, "eth0").result();
    let started = trace.lines().into_iter().filter(|line| line.contains("execve("));
    let started: Vec<_> = started.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect();
    assert_eq!(started, ["/run/cni-tests/ours/tap"]);
}

fn which(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.exists());
    found.unwrap().to_str().unwrap().to_owned()
}

const CONTEXT: &str = "system_u:system_r:container_t:s0";

/// A machine whose SELinux is on. Stand-ins for its two files: what they are about is who makes the tap, and how.
fn with_selinux(host: &Host) {
    host.sh("mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux && touch /sys/fs/selinux/enforce");
}

#[test]
fn selinux_context_is_that_of_a_child_that_makes_the_tap() {
    needs!(UserIds);
    let case = tap().with(|conf| conf.set("selinuxContext", CONTEXT).set("owner", 654_321));
    let host = case.host();
    let pod = host.container("pod");
    with_selinux(&host);
    host.sh("mkdir /run/proc && mount --rbind /proc /run/proc && mount -t tmpfs tmpfs /proc
        mkdir -p /proc/thread-self/attr && touch /proc/thread-self/attr/current
        ln -s /run/proc/sys /run/proc/self /proc && ln -s /run/proc/thread-self/ns /proc/thread-self");
    case.add(&host, &pod).result();
    assert_eq!(std::fs::read_to_string("/proc/thread-self/attr/current").unwrap(), CONTEXT);
    let data = &pod.link("eth0")["linkinfo"]["info_data"];
    assert_eq!((&data["type"], &data["persist"]), (&json!("tap"), &json!(true)), "{data}");
    assert!(data["user"].to_string().contains("654321"), "{data}");
    assert_eq!(pod.addresses("eth0"), crate::link::FIRST);
    // What the kernel refuses the child is told as it is.
    let other = host.container("other");
    let name = "/run/cni-tests/no-tun";
    host.sh(&format!("touch {name} && mount --bind {name} /dev/net/tun"));
    case.add(&host, &other).error().says(100, &["create tap eth0", "ENOTTY"]);
}

#[test]
fn selinux_context_that_is_refused() {
    let case = tap().with(|conf| conf.set("selinuxContext", CONTEXT).version("1.1.0"));
    let host = case.host();
    let before = host.after_one_container("tap", &tap().conf);
    with_selinux(&host);
    // The kernel takes no context, having no SELinux.
    let pod = host.container("pod");
    case.add(&host, &pod).error().says(2, &[CONTEXT, "refuses", "dyntransition"]);
    case.call(&host).status(&case.conf).error().says(50, &[CONTEXT, "refuses"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

#[test]
fn an_add_whose_nth_ioctl_is_refused_leaves_nothing() {
    needs!(Strace, UserIds);
    let case = tap().with(|conf| conf.set("owner", 1000).set("group", 100));
    let host = case.host();
    let before = host.after_one_container("tap", &case.conf);
    let mut refused = Vec::new();
    // Made in a thread, it is kept by the plugin's first one: each has its own count.
    for threads in [true, false] {
        for n in 1..4 {
            // The first, about the namespace, is one that ADD can do without when it is not known.
            let inject = format!("inject=ioctl:error=ENOTTY:when={n}");
            let trace = Trace::new(&["trace=ioctl", &inject]);
            let trace = if threads { trace } else { trace.without_children() };
            let pod = host.container("pod");
            let outcome = case.call(&host).under(&trace.command()).add(&case.conf, &pod, "eth0");
            if outcome.exit == Some(0) {
                case.del(&host, &pod).done();
            } else {
                refused.push(outcome.error().text);
            }
            assert!(pod.find_link("eth0").is_none(), "{outcome:?}");
            host.snapshot().assert_same_as(&before, &format!("{outcome:?}"));
            pod.remove_netns();
        }
    }
    let said = |what: &str| refused.iter().any(|text| text.contains(&format!("cannot {what} tap eth0")));
    let all = ["create", "set the owner of", "set the group of", "keep"];
    assert!(all.iter().all(|what| said(what)) && refused.len() == all.len(), "{refused:?}");
}

/// Whatever the host has: the tap is made in the container's namespace.
#[test]
fn a_tap_of_the_same_name_on_the_host_is_not_taken() {
    let case = tap();
    let host = case.host();
    host.run("ip tuntap add eth0 mode tap");
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    assert!(host.find_link("eth0").is_some() && pod.find_link("eth0").is_some());
    case.del(&host, &pod).done();
    assert!(host.find_link("eth0").is_some() && pod.find_link("eth0").is_none());
}
