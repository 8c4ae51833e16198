//! `firewall` with firewalld: a real one, on a system bus of the test's own.

use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};

use cni_tests::{Conf, Container, Host, Place, needs};
use serde_json::{Value, json};

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
</policy></busconfig>"#;

/// A system bus with firewalld on it, ended with the test.
struct Firewalld(Vec<Child>);

impl Firewalld {
    fn start(host: &Host) -> Self {
        host.run("mkdir -p /run/dbus /run/firewalld-config");
        std::fs::write("/run/bus.conf", BUS).unwrap();
        let mut bus = host.command("dbus-daemon");
        bus.args(["--nofork", "--config-file=/run/bus.conf", "--print-address"]).stdout(Stdio::piped());
        let mut bus = bus.stderr(Stdio::null()).spawn().unwrap();
        // It prints its address once it listens.
        let mut line = [0; 8];
        std::io::Read::read_exact(bus.stdout.as_mut().unwrap(), &mut line).unwrap();
        let mut daemon = host.command("firewalld");
        daemon.args([
            "--nofork",
            "--nopid",
            "--system-config=/run/firewalld-config",
            "--log-file=/run/firewalld.log",
        ]);
        let daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Self(vec![daemon, bus]);
        let running = || host.try_run("firewall-cmd --state").status.success();
        assert!((0..100).any(|_| running()), "firewalld does not start");
        started
    }
}

impl Drop for Firewalld {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// `firewall` without a choice of backend.
fn conf() -> Conf {
    Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall" }))
}

fn result(version: &str, n: usize) -> Value {
    json!({
        "cniVersion": version, "interfaces": [{ "name": "br0" }],
        "ips": [{ "address": format!("10.22.0.{n}/24") }, { "address": format!("fd00:22::{n}/64") }],
    })
}

fn with(n: usize) -> Conf {
    conf().prev(&result("1.1.0", n))
}

fn sources(host: &Host, zone: &str) -> Vec<String> {
    let text = host.run(&format!("firewall-cmd --zone={zone} --list-sources"));
    let mut sources: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    sources.sort();
    sources
}

#[test]
fn a_running_firewalld_is_the_default_and_lets_containers_through() {
    needs!(Firewalld);
    let host = Host::new();
    let outside = host.outside();
    outside.run("ip route add 10.22.0.0/24 via 198.51.100.1");
    let _firewalld = Firewalld::start(&host);
    let bridge = Conf::bridge().set("isDefaultGateway", true).version("1.1.0");
    let attach = |id: &str| -> (Container, Value) {
        let pod = host.container(id);
        let result = host.plugin("bridge").add(&bridge, &pod, "eth0").result();
        (pod, result)
    };
    let ((pod, result), (stranger, _)) = (attach("pod"), attach("stranger"));
    let conf = conf().prev(&result);
    assert_eq!(host.plugin("firewall").add(&conf, &pod, "eth0").result(), result);
    host.plugin("firewall").add(&conf, &pod, "eth0").result();
    assert_eq!(sources(&host, "trusted"), ["10.22.0.2/32"]);
    assert!(pod.pings("198.51.100.2"));
    assert!(!stranger.pings("198.51.100.2"), "not behind the firewall plugin");
    host.plugin("firewall").check(&conf, &pod, "eth0").done();
    host.plugin("firewall").status(&conf).done();
    host.plugin("firewall").without("CNI_NETNS").del(&self::conf(), &pod, "eth0").done();
    assert_eq!(sources(&host, "trusted"), Vec::<String>::new());
    assert!(!pod.pings("198.51.100.2"));
}

#[test]
fn check_fails_after_a_reload_and_add_repairs_it() {
    needs!(Firewalld, Iptables);
    let host = Host::new();
    let _firewalld = Firewalld::start(&host);
    let pod = host.container("pod");
    let conf = with(2).set("firewalldZone", "internal").set("ingressPolicy", "same-bridge");
    host.plugin("firewall").add(&conf, &pod, "eth0").result();
    assert_eq!(sources(&host, "internal"), ["10.22.0.2/32", "fd00:22::2/128"]);
    let rules = host.run("iptables-save -t filter");
    assert!(rules.contains("-i br0 ! -o br0") && !rules.contains("CNI-FORWARD"), "{rules}");
    host.plugin("firewall").status(&conf).done();
    host.run("firewall-cmd --reload");
    assert_eq!(sources(&host, "internal"), Vec::<String>::new(), "what firewalld forgets");
    let error = host.plugin("firewall").check(&conf, &pod, "eth0").error();
    error.says(103, &["internal", "10.22.0.2", "fd00:22::2"]);
    host.plugin("firewall").add(&conf, &pod, "eth0").result();
    host.plugin("firewall").check(&conf, &pod, "eth0").done();
    // The configuration names another zone, even another backend, by now.
    let changed = self::conf().set("backend", "nftables");
    host.plugin("firewall").del(&changed, &pod, "eth0").done();
    assert_eq!(sources(&host, "internal"), Vec::<String>::new());
}

#[test]
fn gc_removes_by_network_and_late_dels_spare_the_new_owner() {
    needs!(Firewalld);
    let host = Host::new();
    let _firewalld = Firewalld::start(&host);
    let pods = ["keep", "dead", "new"].map(|id| host.container(id));
    for (n, pod) in [(2, &pods[0]), (3, &pods[1]), (4, &pods[1]), (4, &pods[2])] {
        host.plugin("firewall").add(&with(n), pod, "eth0").result();
    }
    host.plugin("firewall").del(&with(4), &pods[1], "eth0").done();
    assert_eq!(
        sources(&host, "trusted"),
        ["10.22.0.2/32", "10.22.0.4/32", "fd00:22::2/128", "fd00:22::4/128"]
    );
    host.plugin("firewall").gc(&conf(), &[(&pods[0], "eth0")]).done();
    assert_eq!(sources(&host, "trusted"), ["10.22.0.2/32", "fd00:22::2/128"]);
}

#[test]
fn handover_to_and_from_the_reference() {
    needs!(Firewalld, Reference);
    let host = Host::new();
    let _firewalld = Firewalld::start(&host);
    let conf = conf().version("1.0.0").set("backend", "firewalld").prev(&result("1.0.0", 2));
    let pod = host.container("pod");
    for ours_first in [true, false] {
        let suite = |ours: bool| if ours { host.plugin("firewall") } else { host.reference("firewall") };
        suite(ours_first).add(&conf, &pod, "eth0").result();
        assert_eq!(sources(&host, "trusted").len(), 2);
        suite(!ours_first).check(&conf, &pod, "eth0").done();
        suite(!ours_first).add(&conf, &pod, "eth0").result();
        suite(!ours_first).del(&conf, &pod, "eth0").done();
        assert_eq!(sources(&host, "trusted"), Vec::<String>::new());
        host.plugin("firewall").del(&conf, &pod, "eth0").done();
    }
}

#[test]
fn a_zone_firewalld_does_not_have_is_its_own_words_and_nothing_stays() {
    needs!(Firewalld);
    let host = Host::new();
    let _firewalld = Firewalld::start(&host);
    let pod = host.container("pod");
    host.plugin("firewall").add(&with(2), &pod, "eth0").result();
    host.plugin("firewall").del(&with(2), &pod, "eth0").done();
    let before = host.snapshot();
    for (zone, text) in [("nowhere", "INVALID_ZONE"), ("x\";drop'", "INVALID_ZONE")] {
        let conf = with(2).set("firewalldZone", zone);
        host.plugin("firewall").add(&conf, &pod, "eth0").error().says(101, &[text, "10.22.0.2/32"]);
        host.snapshot().assert_same_as(&before, zone);
    }
    // Somebody has given the address to another zone.
    host.run("firewall-cmd --zone=drop --add-source=fd00:22::2/128");
    host.plugin("firewall").add(&with(2), &pod, "eth0").error().says(101, &["fd00:22::2/128"]);
    assert_eq!(sources(&host, "trusted"), Vec::<String>::new());
    assert_eq!(sources(&host, "drop"), ["fd00:22::2/128"]);
}

#[test]
fn without_firewalld_it_is_said_and_del_works() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = with(2).set("backend", "firewalld");
    host.plugin("firewall").status(&conf).error().says(50, &["firewalld is not running"]);
    host.plugin("firewall").add(&conf, &pod, "eth0").error().says(101, &["firewalld is not running"]);
    assert_eq!(host.snapshot().lines_with("10.22.0.2"), Vec::<&str>::new());
    host.plugin("firewall").del(&conf, &pod, "eth0").done();
}

#[test]
fn a_bus_that_does_not_answer_is_code_11() {
    let host = Host::new();
    let pod = host.container("pod");
    std::fs::create_dir("/run/dbus").unwrap();
    let _silent = UnixListener::bind("/run/dbus/system_bus_socket").unwrap();
    let status = host.plugin("firewall").status(&conf().set("backend", "firewalld"));
    status.error().says(50, &["10 s"]);
    let conf = with(2).set("backend", "firewalld");
    host.plugin("firewall").del(&conf, &pod, "eth0").error().says(11, &["system bus"]);
}
