//! An address that somebody else had before works at once (users: ten seconds of silence after a restart).

use cni_tests::{Conf, Host, Place};

const OLD_MAC: &str = "0a:00:00:00:00:99";

fn conf() -> Conf {
    Conf::dual_stack_bridge().set("isGateway", true)
}

fn remember(place: &impl Place, dev: &str) {
    for address in ["10.22.0.3", "fd00:22::3"] {
        place.run(&format!("ip neighbour replace {address} lladdr {OLD_MAC} dev {dev} nud reachable"));
    }
}

#[test]
fn the_host_forgets_the_old_owner() {
    let host = Host::new();
    host.plugin("bridge").add(&conf(), &host.container("one"), "eth0").result();
    remember(&host, "br0");
    host.plugin("bridge").add(&conf(), &host.container("two"), "eth0").result();
    assert!(host.pings("10.22.0.3"));
    assert!(host.pings("fd00:22::3"));
}

#[test]
fn even_a_permanent_entry_is_replaced() {
    let host = Host::new();
    host.plugin("bridge").add(&conf(), &host.container("one"), "eth0").result();
    host.run(&format!("ip neighbour replace 10.22.0.3 lladdr {OLD_MAC} dev br0 nud permanent"));
    host.plugin("bridge").add(&conf(), &host.container("two"), "eth0").result();
    assert!(host.pings("10.22.0.3"));
}

#[test]
fn the_other_containers_hear_of_the_new_owner() {
    let host = Host::new();
    let one = host.container("one");
    host.plugin("bridge").add(&conf(), &one, "eth0").result();
    remember(&one, "eth0");
    host.plugin("bridge").add(&conf(), &host.container("two"), "eth0").result();
    assert!(one.pings("10.22.0.3"));
    assert!(one.pings("fd00:22::3"));
}

#[test]
fn a_ptp_container_is_reached_at_once() {
    let host = Host::new();
    for id in ["one", "two", "three"] {
        let pod = host.container(id);
        let result = host.plugin("ptp").add(&Conf::ptp().ranges(&["10.33.0.0/30"]), &pod, "eth0").result();
        assert!(host.pings("10.33.0.2"), "{id}: {result}");
        host.plugin("ptp").del(&Conf::ptp().ranges(&["10.33.0.0/30"]), &pod, "eth0").done();
    }
}
