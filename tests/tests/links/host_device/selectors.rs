//! Every way of saying which device. The buses are a tree of the test's own below `/sys/bus`.

use cni_tests::{Conf, Host, Place};
use serde_json::json;

use crate::host_device::{MAC, layer2, state, with_device};

/// A PCI NIC with `ens5`, a virtio one with `ens6`, one given to DPDK, one without a driver, and a subfunction with
/// `ens5`.
fn with_buses() -> Host {
    let host = with_device();
    host.run("ip link add ens6 address 02:00:00:00:00:06 type veth peer name wire6 netns far");
    host.sh(
        "mount -t tmpfs tmpfs /sys/bus && mkdir -p /sys/bus/pci/drivers/ice /sys/bus/pci/drivers/virtio-pci &&
        cd /sys/bus/pci && mkdir -p drivers/vfio-pci drivers/uio_pci_generic drivers/igb_uio &&
        pci() { mkdir -p devices/$1 && ln -s ../../drivers/$2 devices/$1/driver; } &&
        pci 0000:3b:00.1 ice && mkdir -p devices/0000:3b:00.1/net/ens5 &&
        pci 0000:00:04.0 virtio-pci && mkdir -p devices/0000:00:04.0/virtio3/net/ens6 &&
        pci 0000:3b:01.0 vfio-pci && pci 0000:3b:01.1 uio_pci_generic && pci 0000:3b:01.2 igb_uio &&
        pci 0000:3b:02.0 ice && mkdir devices/0000:3b:03.0 &&
        mkdir -p /sys/bus/auxiliary/devices/mlx5_core.sf.2/net/ens5 /sys/bus/auxiliary/devices/mlx5_core.eth.2 &&
        mount -t tmpfs tmpfs /sys/devices/platform && mkdir -p /sys/devices/platform/soc/mac@1/net/ens5",
    );
    host
}

fn by(key: &str, value: &str) -> Conf {
    let conf = layer2().remove("device");
    match key {
        "deviceID" => conf.set("capabilities", json!({ key: true })).runtime(key, &json!(value)),
        _ => conf.set(key, value),
    }
}

#[test]
fn each_selector_finds_its_device() {
    let host = with_buses();
    host.run("ip link property add dev ens5 altname enP48661p0s2f0np0d1");
    for (key, value, device) in [
        ("device", "ens5", "ens5"),
        ("device", "enP48661p0s2f0np0d1", "ens5"),
        ("hwaddr", MAC, "ens5"),
        ("hwaddr", "02-00-00-00-00-06", "ens6"),
        ("kernelpath", "/sys/devices/platform/soc/mac@1", "ens5"),
        ("pciBusID", "0000:3b:00.1", "ens5"),
        ("PCIBusID", "0000:3B:00.1", "ens5"),
        ("pciBusID", "0000:00:04.0", "ens6"),
        ("deviceID", "0000:00:04.0", "ens6"),
        ("deviceID", "mlx5_core.sf.2", "ens5"),
    ] {
        let pod = host.container("pod");
        let before = state(&host, device);
        let conf = by(key, value);
        host.plugin("host-device").status(&conf).done();
        let result = host.plugin("host-device").add(&conf, &pod, "net1").result();
        assert_eq!(state(&pod, "net1")[1], device, "{key} {value}");
        host.plugin("host-device").status(&conf).done();
        host.plugin("host-device").check(&conf.clone().prev(&result), &pod, "net1").done();
        host.plugin("host-device").del(&conf, &pod, "net1").done();
        assert_eq!(state(&host, device), before);
        pod.remove_netns();
    }
}

#[test]
fn an_alternative_name_finds_it_too() {
    let host = with_device();
    let pod = host.container("pod");
    host.run("ip link property add dev ens5 altname enp59s0");
    host.plugin("host-device").add(&by("device", "enp59s0"), &pod, "net1").result();
    assert_eq!(state(&pod, "net1")[1], "ens5");
    host.plugin("host-device").del(&layer2(), &pod, "net1").done();
    assert_eq!(state(&host, "ens5")[0], "ens5");
}

/// A NIC's VLANs and bridge have its address.
#[test]
fn the_first_of_several_with_one_address() {
    let host = with_device();
    let pod = host.container("pod");
    host.run(&format!("ip link add br0 address {MAC} type bridge"));
    host.plugin("host-device").add(&by("hwaddr", MAC), &pod, "net1").result();
    assert_eq!(state(&pod, "net1")[1], "ens5");
}

#[test]
fn the_assigned_device_replaces_the_pci_address() {
    let host = with_buses();
    let pod = host.container("pod");
    let conf = by("deviceID", "mlx5_core.sf.2").set("pciBusID", "0000:00:04.0");
    host.plugin("host-device").add(&conf, &pod, "net1").result();
    assert_eq!(state(&pod, "net1")[1], "ens5");
}

#[test]
fn selectors_that_agree_and_others() {
    let host = with_buses();
    let pod = host.container("pod");
    let agreeing = by("device", "ens5").set("hwaddr", MAC).set("pciBusID", "0000:3b:00.1");
    host.plugin("host-device").add(&agreeing, &pod, "net1").result();
    host.plugin("host-device").del(&agreeing, &pod, "net1").done();
    let before = host.snapshot();
    for (key, value) in
        [("hwaddr", "02:00:00:00:00:06"), ("pciBusID", "0000:3b:01.0"), ("pciBusID", "0000:00:04.0")]
    {
        let conf = by("device", "ens5").set(key, value);
        let error = host.plugin("host-device").add(&conf, &pod, "net1").error();
        error.says(7, &["\"device\"", key, "different devices"]);
    }
    host.snapshot().assert_same_as(&before, "refused ADDs");
}

#[test]
fn a_device_a_program_drives_gets_addresses_and_no_link() {
    let host = with_buses();
    let pod = host.container("pod");
    let confs = [
        by("pciBusID", "0000:3b:01.0"),
        by("pciBusID", "0000:3b:01.1"),
        by("pciBusID", "0000:3b:01.2"),
        by("deviceID", "0000:3b:01.0"),
    ];
    for conf in confs {
        let conf = conf.ranges(&["10.9.0.0/24"]);
        let links = host.ip("link show").len();
        host.plugin("host-device").status(&conf).done();
        let result = host.plugin("host-device").add(&conf, &pod, "net1").result();
        assert_eq!(result["interfaces"], json!([{ "name": "net1", "sandbox": "/run/netns/pod" }]));
        assert!(result["ips"][0]["address"].as_str().unwrap().starts_with("10.9.0."));
        assert_eq!(pod.ip("link show").len(), 1);
        let conf = conf.prev(&result);
        host.plugin("host-device").check(&conf, &pod, "net1").done();
        host.plugin("host-device").del(&conf, &pod, "net1").done();
        host.plugin("host-device").del(&conf, &pod, "net1").done();
        assert_eq!(host.ip("link show").len(), links);
        assert_eq!(host.snapshot().lines_with("networks/net/10.9").len(), 0, "the address is free");
    }
    let layer2 = by("pciBusID", "0000:3b:01.0");
    host.plugin("host-device").add(&layer2, &pod, "net1").result();
}

#[test]
fn devices_that_are_not_there() {
    let host = with_buses();
    let pod = host.container("pod");
    let before = host.snapshot();
    for (key, value, text) in [
        ("device", "ens9", "no device ens9"),
        ("hwaddr", "02:00:00:00:00:99", "02:00:00:00:00:99"),
        ("kernelpath", "/sys/devices/platform/soc", "/sys/devices/platform/soc"),
        ("pciBusID", "0000:3b:00.0", "ENOENT"),
        ("pciBusID", "0000:3b:02.0", "0000:3b:02.0"),
        ("pciBusID", "0000:3b:03.0", "driver"),
        ("deviceID", "0000:3b:00.0", "0000:3b:00.0"),
        ("deviceID", "mlx5_core.sf.9", "mlx5_core.sf.9"),
        ("deviceID", "mlx5_core.eth.2", "mlx5_core.eth.2"),
    ] {
        host.plugin("host-device").add(&by(key, value), &pod, "net1").error().says(100, &[text]);
    }
    for (key, value) in [("device", "ens9"), ("hwaddr", "02:00:00:00:00:99"), ("pciBusID", "0000:3b:00.0")] {
        host.plugin("host-device").status(&by(key, value)).error().says(50, &[value]);
    }
    host.snapshot().assert_same_as(&before, "refused ADDs");
}

#[test]
fn a_device_that_is_away_is_named_with_who_has_it() {
    let host = with_device();
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let other = host.container("other");
    for conf in [layer2(), by("hwaddr", MAC)] {
        let error = host.plugin("host-device").add(&conf, &other, "eth0").error();
        error.says(100, &["net: net, if: eth0, id: pod"]);
    }
}
