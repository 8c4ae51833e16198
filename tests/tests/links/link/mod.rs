//! The plugins that make one link in the container: `macvlan`, `ipvlan`, `vlan`, `tap`, `dummy`. A theme is a function
//! over a [`Case`], run for each of them.

/// Makes a test per plugin of each function over a [`Case`]: `for_each_plugin!(theme);` gives `theme::macvlan` and so
/// on. With a list in front, for those plugins only: `for_each_plugin!([macvlan, tap] theme);`.
macro_rules! for_each_plugin {
    ([$($plugin:ident),+] $($theme:ident),+ $(,)?) => { for_each_plugin!(@ [$($plugin),+] $($theme)+); };
    (@ $plugins:tt $($theme:ident)+) => { $( mod $theme { for_each_plugin!(@@ $plugins $theme); } )+ };
    (@@ [$($plugin:ident),+] $theme:ident) => { $(
        #[test]
        fn $plugin() {
            if let Some(case) = crate::link::runnable(crate::link::$plugin()) {
                super::$theme(&case);
            }
        }
    )+ };
    ($($theme:ident),+ $(,)?) => { for_each_plugin!([macvlan, ipvlan, vlan, tap, dummy] $($theme),+); };
}

mod bad_input;
mod budget;
mod check;
mod del;
mod differential;
mod faults;
mod gc;
mod ipvlan;
mod macvlan;
mod master;
mod result;
mod segment;
mod status;
mod tap;
mod upgrade;

use cni_tests::{Case, Conf, Container, Host, Need, Place, lacks};
use serde_json::{Value, json};

/// The IPv4 and IPv6 address of the first container.
const FIRST: [&str; 2] = ["10.44.0.2/24", "fd00:44::2/64"];

/// `macvlan` on the host's `uplink`.
fn macvlan() -> Case {
    Case::new("macvlan", conf("macvlan").set("master", "uplink")).on(uplink)
}

/// `ipvlan` on the host's `uplink`.
fn ipvlan() -> Case {
    Case::new("ipvlan", conf("ipvlan").set("master", "uplink")).on(uplink)
}

/// VLAN 5 of the host's `uplink`.
fn vlan() -> Case {
    Case::new("vlan", conf("vlan").set("master", "uplink").set("vlanId", 5)).on(uplink)
}

/// `tap`.
fn tap() -> Case {
    Case::new("tap", conf("tap"))
}

/// `dummy`.
fn dummy() -> Case {
    Case::new("dummy", conf("dummy"))
}

/// A configuration with addresses of both families and a route of each.
fn conf(plugin: &str) -> Conf {
    let conf = Conf::new(json!({ "cniVersion": "1.0.0", "name": "net", "type": plugin }));
    conf.ranges(&["10.44.0.0/24", "fd00:44::/64"]).ipam("routes", routes())
}

fn routes() -> Value {
    json!([{ "dst": "192.0.2.0/24" }, { "dst": "2001:db8::/32" }])
}

/// The case for a second interface beside the first, on the host or in the container: a master has every VLAN once, and
/// a destination has one route.
fn second(case: &Case) -> Case {
    let other = case.with(|conf| if case.plugin == "vlan" { conf.set("vlanId", 6) } else { conf });
    other.with(|conf| conf.ipam("routes", json!([])))
}

/// The host's `uplink`, a cable to another machine.
fn uplink(host: &Host) {
    other_machine(host);
}

/// The machine at the other end of `uplink`, with its link `wan`.
fn other_machine(host: &Host) -> Container {
    let outside = host.container("outside");
    host.run("ip link add uplink type veth peer name wan netns outside");
    host.run("ip link set uplink up");
    outside.run("ip link set wan up");
    // As a node's link has been for long: what is on it takes its operational state over.
    let up = || host.link("uplink")["operstate"] == "UP";
    assert!((0..10_000).any(|_| up()), "{}", host.link("uplink"));
    outside
}

/// The case, where this machine can run it.
fn runnable(case: Case) -> Option<Case> {
    let needs: &[Need] = match case.plugin {
        "ipvlan" => &[Need::Ipvlan],
        "vlan" => &[Need::Vlan],
        "dummy" => &[Need::Dummy],
        _ => &[],
    };
    (!lacks(needs)).then_some(case)
}
