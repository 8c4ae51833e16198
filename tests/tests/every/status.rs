//! STATUS says whether an ADD would work, and why not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use cni_tests::{Conf, Host, IpamScript, Place, Trace, in_every_version, needs};
use serde_json::json;

in_every_version!(gate as versions);

fn gate(version: &str) {
    let host = Host::new();
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp()), ("loopback", Conf::loopback())] {
        let outcome = host.plugin(plugin).status(&conf.version(version));
        if version == "1.1.0" {
            outcome.done();
        } else {
            outcome.error().says(1, &["STATUS", "1.1.0"]);
        }
    }
}

fn full() -> Conf {
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    conf.set("ipMasq", true).version("1.1.0")
}

#[test]
fn it_changes_nothing() {
    let host = Host::new();
    let before = host.after_one_container("bridge", &full());
    host.plugin("bridge").status(&full()).done();
    host.plugin("ptp").status(&Conf::ptp().set("ipMasq", true).version("1.1.0")).done();
    let changes = host.snapshot().since(&before);
    assert!(changes.iter().all(|l| l.contains("/var/lib/cni/networks")), "{changes:?}");
}

#[test]
fn ipam_is_missing_or_says_no() {
    let host = Host::new();
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let conf = conf.version("1.1.0");
        let missing = conf.clone().set("ipam", json!({ "type": "missing" }));
        host.plugin(plugin).status(&missing).error().says(50, &["missing"]);
        let script =
            IpamScript::that_runs_on(&host, "STATUS", r#"echo '{"code":51,"msg":"not now"}'; exit 1"#);
        host.plugin(plugin).status(&script.for_conf(conf)).error().says(51, &["not now"]);
    }
}

#[test]
fn the_range_is_full() {
    let host = Host::new();
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let conf = conf.set("name", plugin).version("1.1.0").ranges(&["10.22.0.0/30"]);
        host.plugin(plugin).status(&conf).done();
        let pod = host.container(plugin);
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        host.plugin(plugin).status(&conf).error().says(50, &["10.22.0.", "1"]);
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        host.plugin(plugin).status(&conf).done();
    }
}

#[test]
fn the_data_directory_cannot_be_written() {
    let host = Host::new();
    host.run("mount -t tmpfs -o ro tmpfs /var/lib/cni");
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let error = host.plugin(plugin).status(&conf.version("1.1.0")).error();
        error.says(50, &["/var/lib/cni"]);
    }
}

#[test]
fn the_bridges_name_belongs_to_another_kind_of_link() {
    let host = Host::new();
    host.run("ip link add br0 type veth peer name other");
    host.plugin("bridge").status(&Conf::bridge().version("1.1.0")).error().says(50, &["br0", "veth"]);
}

#[test]
fn the_backend_that_was_asked_for_is_not_installed() {
    needs!(Iptables);
    let host = Host::new();
    let conf = full().set("ipMasqBackend", "iptables");
    host.plugin("bridge").status(&conf).done();
    // What the links end at, on this test's host only; usually one program is all of them.
    host.sh("for tool in iptables-restore ip6tables-restore; do \
        if path=$(command -v $tool); then mount --bind /dev/null $(readlink -f $path); fi; done");
    host.plugin("bridge").status(&conf).error().says(50, &["iptables"]);
    host.plugin("bridge").status(&full().set("ipMasqBackend", "nftables")).done();
}

#[test]
fn the_configuration_is_wrong() {
    let host = Host::new();
    let conf = Conf::bridge().version("1.1.0").set("vlan", 5000);
    let error = host.plugin("bridge").status(&conf).error();
    assert!([7, 50].contains(&error.code) && error.text.contains("vlan"), "{error:?}");
}

/// BR_MAX_PORTS in the kernel's net/bridge/br_private.h is 1024, and port number 0 is not used.
#[test]
fn a_full_bridge_says_how_many_ports_it_has() {
    let host = Host::new();
    let before = host.after_one_container("bridge", &full());
    // Both ends of a pair can be ports; they stay down, so nothing loops.
    let pair = |n: usize| {
        format!("link add name p{n} master br0 type veth peer name q{n}\nlink set q{n} master br0\n")
    };
    host.feed("ip -batch -", &(0..511).map(pair).collect::<String>());
    host.feed("ip -batch -", "link add name last master br0 type veth peer name end\n");
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&full(), &pod, "eth0").error();
    assert!(error.text.contains("br0") && error.text.contains("1023"), "{error:?}");
    assert!(pod.find_link("eth0").is_none());
    let status = host.plugin("bridge").status(&full()).error();
    status.says(50, &["br0", "1023"]);
    host.run("ip link del end");
    host.plugin("bridge").status(&full()).done();
    host.plugin("bridge").add(&full(), &pod, "eth0").result();
    host.plugin("bridge").del(&full(), &pod, "eth0").done();
    let left: Vec<_> = host.snapshot().since(&before);
    let left: Vec<_> = left.iter().filter(|l| !l.contains("link \"p") && !l.contains("link \"q")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn vlans_that_the_kernel_can_filter() {
    needs!(BridgeVlan);
    let host = Host::new();
    host.plugin("bridge").status(&Conf::bridge().version("1.1.0").set("vlan", 100)).done();
}

#[test]
fn a_kernel_whose_nftables_cannot_do_the_spoof_check() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::layer2_bridge().set("macspoofchk", true).version("1.1.0");
    let trace = Trace::new(&["trace=socket"]);
    host.plugin("bridge").under(&trace.command()).status(&conf).done();
    // strace counts in each thread by itself; its lines start with the thread's number.
    let lines = trace.lines();
    let asks = lines.iter().find(|line| line.contains("NETLINK_NETFILTER")).expect("STATUS asks nftables");
    let thread = asks.split_whitespace().next().unwrap();
    let when =
        1 + lines.iter().filter(|line| line.starts_with(thread)).position(|line| line == asks).unwrap();
    // A kernel without nftables gives no such socket.
    let refuse = format!("inject=socket:error=EPROTONOSUPPORT:when={when}");
    let trace = Trace::new(&["trace=socket", &refuse]);
    let outcome = host.plugin("bridge").under(&trace.command()).status(&conf);
    outcome.error().says(50, &["macspoofchk", "nftables"]);
}

#[test]
fn a_bridge_that_is_down_is_left_down() {
    let host = Host::new();
    host.run("ip link add br0 type bridge");
    let before = host.snapshot();
    host.plugin("bridge").status(&Conf::bridge().version("1.1.0")).done();
    let left: Vec<_> = host.snapshot().since(&before);
    assert!(!left.iter().any(|line| line.contains("br0")), "{left:?}");
}

/// Where /proc/sys is read-only, as in a container, forwarding has to be on already.
#[test]
fn forwarding_that_cannot_be_switched_on() {
    let host = Host::new();
    let conf = [("bridge", Conf::bridge().set("isGateway", true)), ("ptp", Conf::ptp())];
    let conf = conf.map(|(plugin, conf)| (plugin, conf.version("1.1.0")));
    host.sh("mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys");
    for (plugin, conf) in &conf {
        host.plugin(plugin).status(conf).error().says(50, &["net.ipv4.ip_forward", "/proc/sys"]);
        let error = host.plugin(plugin).add(conf, &host.container(plugin), "eth0").error();
        assert!(error.text.contains("/proc/sys"), "{error:?}");
    }
    host.sh("umount /proc/sys && echo 1 > /proc/sys/net/ipv4/ip_forward");
    host.sh("mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys");
    for (plugin, conf) in &conf {
        host.plugin(plugin).status(conf).done();
    }
}

#[test]
fn the_name_of_a_vlans_gateway_link_is_too_long() {
    let host = Host::new();
    let conf = Conf::bridge().set("bridge", "bridge-of-14-by").set("isGateway", true).set("vlan", 100);
    host.plugin("bridge")
        .status(&conf.version("1.1.0"))
        .error()
        .says(7, &["bridge-of-14-by.100", "15 bytes"]);
}

#[test]
fn the_mac_spoof_check_cannot_be_made() {
    let host = Host::new();
    let conf = Conf::bridge().set("macspoofchk", true).version("1.1.0");
    host.plugin("bridge").status(&conf).done();
    // Somebody else's chain of the same name, at another hook.
    host.run("nft add table bridge nat");
    host.run("nft add chain bridge nat PREROUTING { type filter hook forward priority 0 ; }");
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf, &pod, "eth0").error().says(101, &["MAC spoof check"]);
    host.plugin("bridge").status(&conf).error().says(50, &["MAC spoof check", "PREROUTING"]);
}

/// Of a build that has asked something on this host: where it remembers.
fn memory(host: &Host) -> String {
    let names = host.run("ls -A /run/cni/status");
    assert_eq!(names.lines().count(), 1, "one file, and no draft: {names}");
    format!("/run/cni/status/{}", names.trim())
}

/// What a STATUS that has to be content does to find out: namespaces, links, processes.
fn efforts(host: &Host, plugin: &str, conf: &Conf) -> Vec<String> {
    let trace = Trace::new(&["trace=unshare,setns,execve,sendto,sendmsg"]);
    host.plugin(plugin).under(&trace.command()).status(conf).done();
    let words = ["unshare(", "setns(", "execve(", "RTM_NEWLINK", "NFT_MSG_NEW"];
    let is_effort = |line: &String| words.iter().any(|word| line.contains(word));
    // The first execve is strace's, of the plugin.
    trace.lines().into_iter().filter(is_effort).skip(1).collect()
}

fn asking() -> Vec<(&'static str, Conf)> {
    let chained = |plugin: &str| Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": plugin }));
    let mut all = vec![
        ("bandwidth", chained("bandwidth")),
        ("tap", chained("tap")),
        ("sbr", chained("sbr")),
        ("macvlan", chained("macvlan").set("master", "lo").ranges(&["10.22.0.0/24"])),
    ];
    for backend in ["nftables", "iptables"] {
        all.push(("bridge", full().set("ipMasqBackend", backend)));
        all.push(("ptp", Conf::ptp().version("1.1.0").set("ipMasq", true).set("ipMasqBackend", backend)));
        all.push(("portmap", chained("portmap").set("backend", backend)));
        all.push(("firewall", chained("firewall").set("backend", backend)));
    }
    all
}

#[test]
fn what_the_kernel_can_do_is_found_out_once() {
    needs!(Iptables, Strace);
    let host = Host::new();
    for (plugin, conf) in asking() {
        let first = efforts(&host, plugin, &conf);
        // ptp asks nothing that bridge, of the same build, has not asked.
        assert!(!first.is_empty() || plugin == "ptp", "{plugin}");
        assert_eq!(efforts(&host, plugin, &conf), [""; 0], "{plugin}");
    }
    let file = fs::metadata(memory(&host)).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata("/run/cni/status").unwrap().permissions().mode() & 0o777, 0o700);
    // The ruleset is another one: what is asked of it may be in the way now.
    host.run("nft add table inet other");
    let (bridge, bandwidth) = (full().set("ipMasqBackend", "nftables"), &asking()[0]);
    assert!(!efforts(&host, "bridge", &bridge).iter().all(|line| line.contains("unshare(")));
    assert_eq!(efforts(&host, bandwidth.0, &bandwidth.1), [""; 0]);
}

#[test]
fn a_memory_that_is_not_ours_or_not_of_now_is_not_believed() {
    needs!(Strace);
    let host = Host::new();
    let (plugin, conf) = ("bandwidth", &asking()[0].1);
    assert!(!efforts(&host, plugin, conf).is_empty());
    let file = memory(&host);
    let good = fs::read_to_string(&file).unwrap();
    let write = |text: &str| fs::write(&file, text).unwrap();
    let other_boot = format!("0{}", &good[1..]);
    let other_boot = if other_boot == good { format!("1{}", &good[1..]) } else { other_boot };
    let cases: [(&str, &dyn Fn()); 8] = [
        ("empty", &|| write("")),
        ("cut off", &|| write(&good[..good.len() - 3])),
        ("bytes", &|| fs::write(&file, b"\xff\xfe\n").unwrap()),
        ("of another boot", &|| write(&other_boot)),
        ("large", &|| write(&format!("{good}{}", "x".repeat(1 << 20)).replacen('-', "+", 1))),
        ("others may write it", &|| {
            write(&good);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("a link", &|| {
            fs::write("/run/elsewhere", &good).unwrap();
            symlink("/run/elsewhere", &file).unwrap();
        }),
        ("a FIFO", &|| drop(host.run(&format!("mkfifo {file}")))),
    ];
    for (what, make) in cases {
        fs::remove_file(&file).unwrap();
        make();
        assert!(!efforts(&host, plugin, conf).is_empty(), "{what}");
        // It is another one by now.
        assert_eq!(efforts(&host, plugin, conf), [""; 0], "{what}");
        assert_eq!(fs::read_to_string(&file).unwrap(), good, "{what}");
    }
}

#[test]
fn without_a_place_to_remember_it_works_as_ever() {
    let host = Host::new();
    fs::create_dir("/run/cni").unwrap();
    for options in ["ro", "size=4k,nr_inodes=2"] {
        host.run(&format!("mount -t tmpfs -o {options} tmpfs /run/cni"));
        for (plugin, conf) in [("bandwidth", &asking()[0].1), ("tap", &asking()[1].1)] {
            host.plugin(plugin).status(conf).done();
            host.plugin(plugin).status(conf).done();
        }
        host.run("umount /run/cni");
    }
    fs::remove_dir("/run/cni").unwrap();
    fs::write("/run/cni", "").unwrap();
    host.plugin("bandwidth").status(&asking()[0].1).done();
}
