//! DEL in every circumstance; GC and STATUS.

use cni_tests::{Conf, Container, Host, Place, Snapshot, needs};
use serde_json::json;

use crate::sbr::{dual_stack, routes, rules, state};

fn added(host: &Host) -> (Container, Conf) {
    let (pod, conf) = dual_stack(host);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    (pod, conf)
}

#[test]
fn it_removes_the_rules_whatever_it_is_told() {
    let garbage = |conf: &Conf| conf.clone().set("prevResult", json!([7]));
    let wrong = |conf: &Conf| conf.clone().set("gateways", "x").set("table", -1);
    let without = |conf: &Conf| conf.clone().remove("prevResult");
    let same = |conf: &Conf| conf.clone();
    for change in [same, garbage, wrong, without] as [fn(&Conf) -> Conf; 4] {
        let host = Host::new();
        let (pod, conf) = added(&host);
        let before = routes(&pod);
        let conf = change(&conf);
        host.plugin("sbr").del(&conf, &pod, "eth0").done();
        assert_eq!(rules(&pod), [""; 0], "{}", conf.text());
        assert_eq!(routes(&pod), before, "they go with the interface");
        host.plugin("sbr").del(&conf, &pod, "eth0").done();
    }
}

#[test]
fn with_the_interface_or_its_addresses_gone() {
    for (gone, knows) in [
        ("ip link del eth0", true),
        ("ip address flush dev eth0", true),
        ("ip link set eth0 down", true),
        // The tables still lead to the interface.
        ("ip -4 address del 10.1.0.2/24 dev eth0", false),
    ] {
        let host = Host::new();
        let (pod, conf) = added(&host);
        pod.run("ip route replace default via 10.1.0.1 dev eth0 table 100 onlink");
        pod.run(gone);
        let conf = if knows { conf } else { conf.remove("prevResult") };
        host.plugin("sbr").del(&conf, &pod, "eth0").done();
        assert_eq!(rules(&pod), [""; 0], "{gone}");
    }
}

#[test]
fn with_the_namespace_gone_no_file_is_made() {
    let host = Host::new();
    let (pod, conf) = added(&host);
    // The kernel takes the links of a namespace apart some time after its end; here they are gone first.
    pod.run("ip link del eth0");
    pod.unmount_netns();
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    std::fs::remove_file(pod.netns()).unwrap();
    let netns = || host.run("ls -A /run/netns");
    let before = (host.snapshot(), netns());
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    host.plugin("sbr").without("CNI_NETNS").del(&conf, &pod, "eth0").done();
    host.plugin("sbr").add(&conf, &pod, "eth0").error().says(8, &["/run/netns/pod", "does not exist"]);
    assert_eq!((host.snapshot(), netns()), before);
}

#[test]
fn rules_of_others_stay() {
    let host = Host::new();
    let (pod, conf) = added(&host);
    host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24"]);
    let other = crate::sbr::conf_of("net1", &[("10.5.0.2/24", "10.5.0.1")]);
    host.plugin("sbr").add(&other, &pod, "net1").result();
    pod.run("ip rule add from 10.1.0.2 fwmark 9 lookup 700");
    pod.run("ip rule add from 10.1.0.0/24 lookup 701");
    pod.run("ip rule add from 10.1.0.2 lookup main");
    pod.run("ip rule add from 10.9.0.1 lookup 702");
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    let left = [
        "from 10.9.0.1 lookup 702",
        "from 10.1.0.2 lookup main",
        "from 10.1.0.0/24 lookup 701",
        "from 10.1.0.2 lookup 700",
        "from 10.5.0.2 lookup 102",
    ];
    assert_eq!(rules(&pod), left);
    host.plugin("sbr").check(&other, &pod, "net1").done();
}

/// A late DEL: another container has the path of the namespace, with an interface of the same name in it, perhaps even
/// with the address of before.
#[test]
fn another_containers_rules_are_left_alone() {
    let host = Host::new();
    let late = |conf: &Conf, pod: &Container| {
        let before = state(&host, pod);
        assert!(!before.1.is_empty());
        let sbr = host.plugin("sbr").env("CNI_CONTAINERID", "late");
        sbr.del(conf, pod, "eth0").done();
        assert_eq!(state(&host, pod), before, "{}", conf.text());
    };
    let (other, conf_of_other) = added(&host);
    late(&crate::sbr::conf(&[("10.1.0.7/24", "10.1.0.1"), ("fd00:1::7/64", "fd00:1::1")]), &other);
    host.plugin("sbr").del(&conf_of_other, &other, "eth0").done();
    assert_eq!(rules(&other), [""; 0]);

    for (makes, conf) in [("bridge", Conf::bridge().set("isDefaultGateway", true)), ("ptp", Conf::ptp())] {
        let pod = host.container(makes);
        let result = host.plugin(makes).add(&conf, &pod, "eth0").result();
        let conf = conf.set("type", "sbr").prev(&result);
        host.plugin("sbr").add(&conf, &pod, "eth0").result();
        late(&conf, &pod);
        late(&conf.clone().set("prevResult", json!([7])), &pod);
        late(&conf.clone().remove("prevResult"), &pod);
        host.plugin("sbr").del(&conf.remove("prevResult"), &pod, "eth0").done();
        assert_eq!(rules(&pod), [""; 0]);
    }
}

#[test]
fn with_a_table_only_its_rules_go() {
    let host = Host::new();
    let (pod, conf) = added(&host);
    pod.run("ip rule add from 10.1.0.2 lookup 300");
    host.plugin("sbr").del(&conf.set("table", 300), &pod, "eth0").done();
    assert_eq!(rules(&pod), ["from 10.1.0.2 lookup 100", "from fd00:1::2 lookup 101"]);
}

/// The kernel makes a rule a second time when it is asked to.
#[test]
fn after_two_adds() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let conf = conf.set("table", 300);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    assert_eq!(rules(&pod).len(), 4);
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    assert_eq!(rules(&pod), [""; 0]);
}

#[test]
fn twenty_at_once() {
    let host = Host::new();
    let (pod, conf) = added(&host);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| host.plugin("sbr").del(&conf, &pod, "eth0").done());
        }
    });
    assert_eq!(rules(&pod), [""; 0]);
}

#[test]
fn gc_and_status_change_nothing() {
    needs!(Strace);
    let host = Host::new();
    let (pod, conf) = added(&host);
    let conf = conf.version("1.1.0").remove("prevResult");
    let before = state(&host, &pod);
    host.plugin("sbr").gc(&conf, &[]).done();
    host.plugin("sbr").gc(&conf, &[(&pod, "eth0")]).done();
    host.plugin("sbr").status(&conf).done();
    assert_eq!(state(&host, &pod), before);
    assert_eq!(Snapshot::take(&host).lines_with("rule").len(), 0);
    host.plugin("sbr").run("GC", conf.text().as_bytes()).freed_nothing();
    host.plugin("sbr").status(&conf.clone().set("table", 254)).error().says(7, &["table", "254"]);
    // A kernel that says no to rules: the request's type is overwritten with one nobody knows.
    host.forget_status();
    let length = cni_tests::Trace::new(&["trace=sendto"]);
    host.plugin("sbr").under(&length.command()).status(&conf).done();
    host.forget_status();
    let refusing = cni_tests::Trace::refusing(1, length.request_lengths()[0]).with_threads();
    let error = host.plugin("sbr").under(&refusing.command()).status(&conf).error();
    error.says(50, &["route by source", "rule from 192.0.2.1/32", "EOPNOTSUPP"]);
    host.plugin("sbr").status(&conf.version("1.0.0")).error().says(1, &["STATUS"]);
}
