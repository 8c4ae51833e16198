//! Every combination of a few addresses and routes: nothing is lost, nothing is made twice.

use super::*;

const INDEX: u32 = 7;

fn ips() -> Vec<IpConfig> {
    let ip = |address: &str, gateway: Option<[u8; 4]>| IpConfig {
        interface: None,
        address: address.parse().unwrap(),
        gateway: gateway.map(Into::into),
    };
    vec![
        ip("10.1.0.2/24", Some([10, 1, 0, 1])),
        ip("10.1.0.3/24", None),
        ip("10.2.0.2/32", Some([169, 254, 1, 1])),
        ip("fd00:1::2/64", None),
    ]
}

fn routes() -> Vec<RouteEntry> {
    let route = |dst: &str| Route::new(dst.parse().unwrap(), INDEX);
    let via = |gateway: [u8; 4], dst| Route { gateway: Some(gateway.into()), ..route(dst) };
    let source = Some([10, 1, 0, 2].into());
    vec![
        via([10, 1, 0, 1], "0.0.0.0/0").into(),
        Route { source, scope: SCOPE_LINK, ..route("10.1.0.0/24") }.into(),
        Route { scope: SCOPE_LINK, ..route("169.254.1.1/32") }.into(),
        via([10, 1, 0, 9], "10.9.0.0/16").into(),
        via([10, 77, 0, 1], "10.8.0.0/16").into(),
        Route { priority: 256, ..route("fd00:1::/64") }.into(),
    ]
}

/// Those of `all` whose bit is set.
fn chosen<T: Clone>(all: &[T], bits: u32) -> Vec<T> {
    all.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, item)| item.clone()).collect()
}

fn each_combination(check: impl Fn(&Conf, &[&IpConfig], &Routing, &Plan)) {
    for (ip_bits, route_bits) in (1..16).flat_map(|ips| (0..64).map(move |routes| (ips, routes))) {
        let ips = chosen(&ips(), ip_bits);
        let ips: Vec<_> = ips.iter().collect();
        let routing = Routing { routes: chosen(&routes(), route_bits), ..Routing::default() };
        for source_hints in [false, true] {
            let mut conf = Conf::default();
            conf.source_hints = source_hints;
            let plan = Plan::new(&conf, INDEX, &ips, &routing).unwrap();
            check(&conf, &ips, &routing, &plan);
        }
    }
}

#[test]
fn each_address_has_a_rule_and_a_table() {
    each_combination(|_, ips, _, plan| {
        let wanted = ips.iter().zip(100..).map(|(ip, table)| Rule::from_address(ip.address.ip(), table));
        assert_eq!(plan.rules, wanted.collect::<Vec<_>>());
    });
}

#[test]
fn what_leaves_the_main_table_is_in_another() {
    each_combination(|conf, _, routing, plan| {
        for route in &plan.leaving {
            let moved = |there: &&RouteEntry| there.in_table(route.table) == *route;
            assert!(plan.routes.iter().any(|there| moved(&there)), "{route:?} is lost");
        }
        let stays = routing.routes.iter().filter(|route| !plan.leaving.contains(route));
        for route in stays.filter(|_| !conf.source_hints) {
            assert!(!plan.routes.iter().any(|there| there.dst == route.dst), "{route:?} is there twice");
        }
    });
}

#[test]
fn nothing_is_made_twice_and_gateways_come_after_what_leads_to_them() {
    each_combination(|_, _, _, plan| {
        for (at, route) in plan.routes.iter().enumerate() {
            assert!(!plan.routes[..at].contains(route), "{route:?}");
            let rest = plan.routes[at..].iter().filter(|other| other.table == route.table);
            assert!(!route.has_gateway() || rest.into_iter().all(RouteEntry::has_gateway));
        }
        let leaving: Vec<_> = plan.leaving.iter().map(RouteEntry::has_gateway).collect();
        assert!(leaving.is_sorted_by_key(|has_gateway| !has_gateway), "{leaving:?}");
        let defaults = plan.routes.iter().filter(|route| route.dst.is_default()).map(|route| route.table);
        let defaults: Vec<_> = defaults.collect();
        assert!(defaults.is_sorted_by(|one, other| one < other), "{defaults:?}");
    });
}
