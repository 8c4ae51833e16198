//! What an ADD may cost: requests, processes, memory, and the size of what is installed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use cni_tests::{ANCHOR, Conf, Host, Place, Trace, needs, plugins, run};

#[test]
fn a_bridge_gateway_add_makes_at_most_12_rtnetlink_requests() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::bridge().set("isGateway", true);
    host.after_one_container("bridge", &conf);
    let trace = Trace::new(&["trace=sendto,sendmsg,sendmmsg"]);
    let pod = host.container("pod");
    host.plugin("bridge").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let lines = trace.lines();
    // One send may carry several messages: strace decodes each header.
    let requests: usize = lines.iter().map(|line| line.matches("nlmsg_type=RTM_").count()).sum();
    assert!((3..=12).contains(&requests), "{requests} requests:\n{}", lines.join("\n"));
}

#[test]
fn an_add_starts_one_process_the_ipam_plugin() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    let conf = conf.set("ipMasq", true).set("ipMasqBackend", "nftables");
    let trace = Trace::new(&["trace=execve"]);
    let pod = host.container("pod");
    host.plugin("bridge").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let started: Vec<_> = trace.lines().into_iter().filter(|line| line.contains("execve(")).collect();
    // The first is strace starting the plugin itself.
    assert_eq!(started.len(), 2, "{started:?}");
}

#[test]
fn nothing_in_an_add_sleeps() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true);
    let trace = Trace::new(&["trace=nanosleep,clock_nanosleep"]);
    host.plugin("bridge").under(&trace.command()).add(&conf, &host.container("pod"), "eth0").result();
    assert_eq!(
        trace.lines().iter().filter(|line| line.contains("nanosleep")).count(),
        0,
        "{:?}",
        trace.lines()
    );
}

#[test]
fn installed_executables_are_static_and_small() {
    needs!(Dist);
    let host = Host::new();
    for name in plugins().into_iter().chain(["cnitool".to_owned()]) {
        let path = format!("{ANCHOR}/bin/{name}");
        let headers = host.run(&format!("readelf -W -l -d {path}"));
        assert!(!headers.contains("INTERP") && !headers.contains("NEEDED"), "{name}: {headers}");
        let size = std::fs::metadata(&path).unwrap().len();
        // The dhcp daemon has an event loop.
        let most = if name == "dhcp" { 4_000_000 } else { 1_500_000 };
        assert!(size <= most, "{name} has {size} bytes");
    }
}

#[test]
fn all_plugins_in_one_file_have_at_most_2_5_mb() {
    needs!(DistOne);
    let sizes = plugins().into_iter().map(|name| {
        let file = std::fs::metadata(format!("{ANCHOR}/bin/one/{name}")).unwrap();
        (file.ino(), file.len())
    });
    let files: BTreeMap<u64, u64> = sizes.collect();
    assert_eq!(files.len(), 1, "the names are links to one file: {files:?}");
    assert!(files.values().all(|&size| size <= 2_500_000), "{files:?}");
}

/// The limit is on the whole address space, of which resident memory is a part: a plugin that works within it never
/// had more than 4 MB, and neither had its IPAM plugin.
#[test]
fn an_add_needs_at_most_4_mb() {
    needs!(Dist);
    let host = Host::new();
    let bin = format!("{ANCHOR}/bin");
    for (plugin, conf) in
        [("bridge", Conf::dual_stack_bridge().set("macspoofchk", true)), ("ptp", Conf::ptp())]
    {
        let conf = conf.set("name", plugin).set("ipMasq", true).set("ipMasqBackend", "nftables");
        let pod = host.container(plugin);
        let mut command = host.command("sh");
        command.args(["-c", &format!("ulimit -v 4096; exec {bin}/{plugin}")]);
        command.env("CNI_PATH", &bin).env("CNI_COMMAND", "ADD").env("CNI_CONTAINERID", plugin);
        command.env("CNI_NETNS", pod.netns()).env("CNI_IFNAME", "eth0");
        let done = run(&mut command, conf.text().as_bytes());
        assert!(done.status.success(), "{done:?}, {}", String::from_utf8_lossy(&done.stdout));
        assert_eq!(pod.addresses("eth0").len(), 2);
    }
}
