//! Devices that are on the host again: only what is still as the kernel returned it is put right, once.

use cni_tests::{Container, Host, Place, Trace, needs};
use serde_json::Value;

use crate::host_device::gone::comes_back;
use crate::host_device::{add_device, layer2, records, state, with_device};

/// What an administrator may have made of `eth0`, which the kernel has returned; its name then.
const USES: [(&str, &str); 7] = [
    (
        "ip link set eth0 name lan0 mtu 1280; ip link set lan0 up; ip address add 192.0.2.1/24 dev lan0; \
         ip route add 198.51.100.0/24 via 192.0.2.9",
        "lan0",
    ),
    ("ip link set eth0 up", "eth0"),
    ("ip link set eth0 name lan0; ip link set lan0 up", "lan0"),
    ("ip address add 192.0.2.1/24 dev eth0", "eth0"),
    ("ip link add br0 type bridge; ip link set eth0 master br0", "eth0"),
    ("ip link set eth0 name ens5; ip link set ens5 alias '' mtu 1280", "ens5"),
    ("ip link add link eth0 name upper type macvlan", "eth0"),
];

fn all_of(host: &Host, name: &str) -> (Value, Vec<String>, String) {
    (state(host, name), host.addresses(name), host.run("ip route show"))
}

/// A host on which `ens5` has come back by itself from `pod`, and with a second device, `ens6`.
fn with_returned() -> (Host, Container) {
    let host = with_device();
    add_device(&host, "ens6", &host.container("far6"), "wire");
    host.run("ip link set ens6 address 02:00:00:00:00:06");
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    comes_back(&host, "eth0");
    pod.remove_netns();
    (host, pod)
}

#[test]
fn a_device_the_administrator_uses_is_left_alone() {
    for (used, name) in USES {
        for by in ["ADD", "DEL", "GC"] {
            let (host, pod) = with_returned();
            host.sh(used);
            let before = all_of(&host, name);
            match by {
                "ADD" => {
                    let other = host.container("other");
                    host.plugin("host-device").add(&layer2().set("device", "ens6"), &other, "eth0").result();
                }
                "DEL" => host.plugin("host-device").without("CNI_NETNS").del(&layer2(), &pod, "eth0").done(),
                _ => host.plugin("host-device").gc(&layer2(), &[]).done(),
            }
            assert_eq!(all_of(&host, name), before, "{used}: {by}");
            // Not later either.
            host.plugin("host-device").without("CNI_NETNS").del(&layer2(), &pod, "eth0").done();
            assert_eq!(all_of(&host, name), before, "{used}: a DEL after {by}");
        }
    }
}

#[test]
fn what_was_put_right_once_is_forgotten() {
    let (host, pod) = with_returned();
    let other = host.container("other");
    let conf = layer2().set("device", "ens6");
    host.plugin("host-device").add(&conf, &other, "eth0").result();
    assert!(state(&host, "ens5")[5].to_string().contains("UP"), "it was put right");
    assert_eq!(records().len(), 1, "the record of ens6 alone");
    host.sh("ip link set ens5 down; ip link set ens5 name lan0 alias ens5");
    let before = state(&host, "lan0");
    host.plugin("host-device").del(&conf, &other, "eth0").done();
    host.plugin("host-device").without("CNI_NETNS").del(&layer2(), &pod, "eth0").done();
    host.plugin("host-device").gc(&layer2(), &[]).done();
    assert_eq!(state(&host, "lan0"), before);
}

/// `v5` came back as `v5_1`, since there was another `v5`, which is away now.
#[test]
fn a_device_of_the_same_name_is_not_taken_for_the_one_that_is_away() {
    for by in ["ADD", "DEL", "GC"] {
        for same_mac in [false, true] {
            let host = Host::new();
            let far = ["far1", "far2", "far3"].map(|name| host.container(name));
            let conf = layer2().set("device", "v5");
            let pods = ["pod1", "pod2", "pod3"].map(|name| host.container(name));
            for n in 0..2 {
                add_device(&host, "v5", &far[n], "wire");
                let mac = if same_mac { 7 } else { n };
                host.run(&format!("ip link set v5 address 02:00:00:00:01:0{mac} mtu {}", 1300 + n));
                host.plugin("host-device").add(&conf, &pods[n], "eth0").result();
                if n == 0 {
                    add_device(&host, "v5", &far[2], "in-the-way");
                    host.plugin("host-device").del(&conf, &pods[0], "eth0").done();
                    host.run("ip link del v5");
                }
            }
            host.run("ip link set v5_1 down");
            let before = state(&host, "v5_1");
            match by {
                "ADD" => {
                    add_device(&host, "v6", &far[2], "wire");
                    host.plugin("host-device").add(&layer2().set("device", "v6"), &pods[2], "eth0").result();
                }
                "DEL" => {
                    pods[1].run("ip link del eth0");
                    host.plugin("host-device").del(&conf, &pods[1], "eth0").done();
                }
                _ => {
                    pods[1].run("ip link del eth0");
                    host.plugin("host-device").gc(&conf, &[]).done();
                }
            }
            assert_eq!(state(&host, "v5_1"), before, "{by} {same_mac}");
            if by == "ADD" {
                host.plugin("host-device").del(&conf, &pods[1], "eth0").done();
                assert_eq!(state(&host, "v5")[3], 1301, "{by} {same_mac}");
            }
        }
    }
}

/// A late DEL finds another container's namespace under its path, with a device of the same name in it.
#[test]
fn another_containers_device_is_not_given_back() {
    for remembered in [true, false] {
        let host = with_device();
        let pod = host.container("pod");
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        if !remembered {
            host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
            host.run("ip link del ens5");
        } else {
            pod.run("ip link del eth0");
        }
        pod.remove_netns();
        let next = host.container("pod");
        add_device(&host, "ens5", &host.container("far2"), "wire");
        let call = host.plugin("host-device").env("CNI_CONTAINERID", "next");
        call.env("CNI_NETNS", next.netns()).env("CNI_IFNAME", "eth0").run("ADD", layer2().text().as_bytes());
        let before = state(&next, "eth0");
        host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
        assert_eq!(state(&next, "eth0"), before, "{remembered}");
    }
}

/// It was killed, and its DEL never came: the same id, another namespace.
#[test]
fn a_restarted_container_gets_its_own_device_back() {
    for name in ["eth0", "dev7"] {
        let host = with_device();
        let before = state(&host, "ens5");
        let pod = host.container("pod");
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        pod.run("ip link set eth0 mtu 1300 address 02:00:00:00:00:99");
        comes_back(&host, name);
        pod.remove_netns();
        let pod = host.container("pod");
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        assert_eq!((state(&pod, "eth0")[3].as_u64(), records().len()), (Some(1400), 1));
        host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
        assert_eq!((state(&host, "ens5"), records().len()), (before, 0));
    }
}

/// Its record says where the first device is; a second one would take its place.
#[test]
fn a_second_add_of_an_attachment_leaves_the_first_device_alone() {
    let host = with_device();
    let before = state(&host, "ens5");
    add_device(&host, "ens6", &host.container("far6"), "wire");
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    crate::host_device::rename(&pod, "mine");
    let second = layer2().set("device", "ens6");
    host.plugin("host-device").add(&second, &pod, "eth0").error().says(100, &["ens5", "mine"]);
    assert!(host.find_link("ens6").is_some());
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    assert_eq!(state(&host, "ens5"), before);
}

#[test]
fn the_links_are_listed_once_however_many_devices_are_away() {
    needs!(Strace);
    let host = Host::new();
    let far = host.container("far");
    let pods: Vec<_> = (0..6).map(|n| host.container(&format!("pod{n}"))).collect();
    let conf = |n: usize| layer2().set("device", format!("dev{n}"));
    for (n, pod) in pods.iter().enumerate() {
        add_device(&host, &format!("dev{n}"), &far, &format!("wire{n}"));
        if n < 5 {
            host.plugin("host-device").add(&conf(n), pod, "eth0").result();
        }
    }
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("host-device").under(&trace.command()).add(&conf(5), &pods[5], "eth0").result();
    assert_eq!(listings(&trace), 1, "{:?}", trace.lines());
    for pod in &pods {
        pod.run("ip link del eth0");
        pod.remove_netns();
    }
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("host-device").under(&trace.command()).gc(&conf(0), &[]).done();
    assert_eq!((listings(&trace), records().len()), (1, 0), "{:?}", trace.lines());
}

/// strace knows a socket's protocol from its second message on: `RTM_GETLINK` is 0x12, `NLM_F_DUMP` 0x300.
fn listings(trace: &Trace) -> usize {
    let has = |line: &str, words: [&str; 2]| words.iter().any(|word| line.contains(word));
    let is_listing = |line: &&String| {
        has(line, ["=RTM_GETLINK", "nlmsg_type=0x12 "]) && has(line, ["NLM_F_DUMP", "|0x300"])
    };
    trace.lines().iter().filter(is_listing).count()
}
