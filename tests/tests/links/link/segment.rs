//! What packets see: the containers of one master, and the machine at the other end of it.

use cni_tests::{Case, Container, Host, Place};

for_each_plugin!([macvlan, ipvlan] two_containers_on_one_master_reach_each_other);
for_each_plugin!([macvlan, ipvlan, vlan] the_machine_outside_reaches_the_container_at_once);

fn two_containers_on_one_master_reach_each_other(case: &Case) {
    let host = case.host();
    let pods = ["one", "two"].map(|id| host.container(id));
    for pod in &pods {
        case.add(&host, pod).result();
    }
    assert!(pods[0].pings("10.44.0.3"));
    assert!(pods[1].pings("fd00:44::2"));
}

/// The machine outside, with an address in the containers' networks.
fn outside(case: &Case) -> (Host, Container) {
    let host = Host::new();
    let outside = crate::link::other_machine(&host);
    let dev = if case.plugin == "vlan" {
        outside.run("ip link add link wan name wan5 type vlan id 5");
        outside.run("ip link set wan5 up");
        "wan5"
    } else {
        "wan"
    };
    outside.run(&format!("ip address add 10.44.0.1/24 dev {dev}"));
    outside.run(&format!("ip address add fd00:44::1/64 dev {dev} nodad"));
    // Somebody else had the addresses a moment ago.
    for address in ["10.44.0.2", "fd00:44::2"] {
        let entry = format!("{address} lladdr 0a:00:00:00:00:99 dev {dev} nud reachable");
        outside.run(&format!("ip neighbour replace {entry}"));
    }
    (host, outside)
}

fn the_machine_outside_reaches_the_container_at_once(case: &Case) {
    let (host, outside) = outside(case);
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    assert!(outside.pings("10.44.0.2"), "{}", outside.run("ip neighbour"));
    assert!(outside.pings("fd00:44::2"), "{}", outside.run("ip neighbour"));
    assert!(pod.pings("10.44.0.1"));
}
