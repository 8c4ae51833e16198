//! Whatever the container did to the device, DEL and GC give it back as it was.

use cni_tests::{Host, IpamScript, Place};
use serde_json::{Value, json};

use crate::host_device::{MAC, add_device, conf, layer2, records, rename, state, with_device};

#[test]
fn a_device_the_container_changed() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    for changes in [
        &["down", "name mine", "up"][..],
        &["alias mine"],
        &["address 02:00:00:00:00:99", "mtu 1280", "promisc on", "multicast on", "allmulticast off"],
        &["down", "name mine", "mtu 9000", "address 02:00:00:00:00:99"],
        &["down", "alias eth0", "name ens5"],
    ] {
        for by_gc in [false, true] {
            host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
            let mut name = "eth0";
            for change in changes {
                pod.run(&format!("ip link set {name} {change}"));
                name = change.strip_prefix("name ").unwrap_or(name);
            }
            if by_gc {
                host.plugin("host-device").gc(&layer2(), &[]).done();
            } else {
                host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
            }
            assert_eq!(state(&host, "ens5"), before, "{changes:?}");
            assert_eq!(records(), [""; 0]);
        }
    }
}

#[test]
fn another_link_under_the_interfaces_name_stays() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    rename(&pod, "mine");
    pod.run("ip link add eth0 type veth peer name other");
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    assert_eq!(state(&host, "ens5"), before);
    assert!(pod.find_link("eth0").is_some());
}

/// Under `<name>_1`, …: the alias says which it is.
#[test]
fn a_name_that_is_taken_on_the_host() {
    let host = with_device();
    let pod = host.container("pod");
    let far = host.container("far2");
    for (name, fallback) in [("ens5", "ens5_1"), ("a-long-name-123", "a-long-name-_1")] {
        if name != "ens5" {
            add_device(&host, name, &far, "wire");
        }
        let conf = layer2().set("device", name);
        host.plugin("host-device").add(&conf, &pod, "eth0").result();
        host.run(&format!("ip link add {name} type veth peer name intruder"));
        let intruder = state(&host, name);
        let outcome = host.plugin("host-device").del(&conf, &pod, "eth0");
        outcome.done();
        assert!(outcome.stderr.contains(&format!("{name} is back on the host as {fallback}")), "{outcome:?}");
        let flags = json!(["ALLMULTI", "BROADCAST", "UP"]);
        assert_eq!(state(&host, fallback), json!([fallback, name, MAC, 1400, "veth", flags]));
        assert_eq!(state(&host, name), intruder);
        assert_eq!(records(), [""; 0]);
        host.run("ip link del intruder");
        host.run(&format!("ip link del {fallback}"));
    }
}

#[test]
fn a_name_that_is_taken_as_an_alternative_name() {
    let host = with_device();
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    host.run("ip link add x type veth peer name y");
    host.run("ip link property add dev x altname ens5");
    host.run("ip link property add dev y altname ens5_1");
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    assert_eq!(state(&host, "ens5_2")[1], "ens5");
}

#[test]
fn del_twice_and_before_any_add() {
    let host = with_device();
    let pod = host.container("pod");
    let before = (host.snapshot(), state(&host, "ens5"));
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before.0, "a DEL before any ADD");
    host.plugin("host-device").add(&conf(), &pod, "eth0").result();
    for _ in 0..3 {
        host.plugin("host-device").del(&conf(), &pod, "eth0").done();
        assert_eq!(state(&host, "ens5"), before.1);
    }
}

#[test]
fn a_link_of_somebody_else_is_not_taken() {
    let host = with_device();
    let pod = host.container("pod");
    pod.run("ip link add eth0 type veth peer name other");
    for alias in ["", "not a name", "a/b"] {
        pod.command("ip").args(["link", "set", "eth0", "alias", alias]).status().unwrap();
        host.plugin("host-device").del(&conf(), &pod, "eth0").done();
        assert!(pod.find_link("eth0").is_some(), "{alias}");
    }
}

#[test]
fn del_needs_no_key_and_no_prev_result() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    let result = host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let others: [(&str, Value); 4] = [
        ("device", json!(7)),
        ("device", json!("..")),
        ("pciBusID", json!("../x")),
        ("prevResult", json!("nonsense")),
    ];
    let mut conf = layer2().prev(&result).remove("device");
    for (key, value) in others {
        host.plugin("host-device").del(&conf, &pod, "eth0").done();
        assert_eq!(state(&host, "ens5"), before, "{key}");
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        conf = layer2().set(key, value);
    }
}

/// The addresses stay reserved as long as the container may use them; dhcp needs the device to give them back.
#[test]
fn ipam_is_called_on_every_del() {
    let host = with_device();
    let pod = host.container("pod");
    let answer = json!({ "cniVersion": "1.1.0", "ips": [{ "address": "10.9.0.9/24" }] });
    let ipam = IpamScript::that_prints(&host, &answer.to_string());
    let conf = ipam.for_conf(conf());
    host.plugin("host-device").add(&conf, &pod, "eth0").result();
    host.plugin("host-device").without("CNI_NETNS").del(&conf, &pod, "eth0").done();
    host.plugin("host-device").del(&conf, &pod, "eth0").done();
    assert_eq!(ipam.calls(), ["ADD", "DEL", "DEL"]);
    let failing = IpamScript::that_runs_on(&host, "DEL", "exit 1");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    host.plugin("host-device")
        .del(&failing.for_conf(layer2()), &pod, "eth0")
        .error()
        .says(102, &["ipam-script"]);
    assert!(host.find_link("ens5").is_some(), "back although IPAM failed");
}

#[test]
fn twenty_at_once() {
    let host = Host::new();
    let far = host.container("far");
    let pods: Vec<_> = (0..20).map(|n| host.container(&format!("pod{n}"))).collect();
    for n in 0..20 {
        add_device(&host, &format!("dev{n}"), &far, &format!("wire{n}"));
    }
    let before = host.snapshot();
    for verb in ["ADD", "DEL", "DEL"] {
        std::thread::scope(|scope| {
            for (n, pod) in pods.iter().enumerate() {
                let (host, conf) = (&host, layer2().set("device", format!("dev{n}")));
                scope.spawn(move || match verb {
                    "ADD" => drop(host.plugin("host-device").add(&conf, pod, "eth0").result()),
                    _ => host.plugin("host-device").del(&conf, pod, "eth0").done(),
                });
            }
        });
        assert_eq!(records().len(), if verb == "ADD" { 20 } else { 0 });
    }
    let left = host.snapshot().since(&before);
    assert!(left.iter().all(|line| line.starts_with("+ directory")), "{left:?}");
}

#[test]
fn one_device_wanted_by_eight_at_once() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pods: Vec<_> = (0..8).map(|n| host.container(&format!("pod{n}"))).collect();
    let exits = std::thread::scope(|scope| {
        let adds: Vec<_> = pods
            .iter()
            .map(|pod| scope.spawn(|| host.plugin("host-device").add(&layer2(), pod, "eth0").exit))
            .collect();
        adds.into_iter().map(|add| add.join().unwrap()).collect::<Vec<_>>()
    });
    let winners: Vec<_> = pods.iter().zip(&exits).filter(|(_, exit)| **exit == Some(0)).collect();
    assert_eq!((winners.len(), records().len()), (1, 1), "{exits:?}");
    assert_eq!(state(winners[0].0, "eth0")[1], "ens5");
    for pod in &pods {
        host.plugin("host-device").del(&layer2(), pod, "eth0").done();
    }
    assert_eq!((state(&host, "ens5"), records().len()), (before, 0));
}
