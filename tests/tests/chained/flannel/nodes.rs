//! The real thing: two nodes, joined as flanneld joins them, whose containers reach each other.

use std::net::{IpAddr, TcpListener};

use cni_tests::published::{From, mapping, tcp};
use cni_tests::{ANCHOR, Chain, Container, Host, Node, Place};
use serde_json::{Value, json};

use crate::flannel::write_subnet_env;

/// Node number n has 192.0.2.n and 2001:db8:2::n on the wire and 10.244.n.0/24 and fd00:244:0:n::/64 for its
/// containers.
const NUMBERS: [u8; 2] = [1, 2];

/// A backend of flanneld: what it does on node `own` for itself and for node `other`, and the MTU it leaves.
struct Backend {
    example: &'static str,
    mtu: u32,
    join: fn(&Host, u8, u8),
}

const VXLAN: Backend = Backend {
    example: "model-overlay-flannel-vxlan",
    mtu: 1450,
    join: |host, own, other| {
        for (link, local) in
            [("flannel.1", format!("192.0.2.{own}")), ("flannel-v6.1", format!("2001:db8:2::{own}"))]
        {
            host.run(&format!(
                "ip link add {link} address {} type vxlan id 1 local {local} dev wire dstport 8472 nolearning",
                mac(own, link)
            ));
            host.run(&format!("ip link set {link} mtu {} up", if link == "flannel.1" { 1450 } else { 1430 }));
        }
        host.run(&format!("ip address add 10.244.{own}.0/32 dev flannel.1"));
        host.run(&format!("ip address add fd00:244:0:{own}::/128 dev flannel-v6.1 nodad"));
        for (link, remote, subnet, gateway) in [
            (
                "flannel.1",
                format!("192.0.2.{other}"),
                format!("10.244.{other}.0/24"),
                format!("10.244.{other}.0"),
            ),
            (
                "flannel-v6.1",
                format!("2001:db8:2::{other}"),
                format!("fd00:244:0:{other}::/64"),
                format!("fd00:244:0:{other}::"),
            ),
        ] {
            let mac = mac(other, link);
            host.run(&format!("bridge fdb append {mac} dev {link} dst {remote}"));
            host.run(&format!("ip neighbour replace {gateway} lladdr {mac} dev {link} nud permanent"));
            host.run(&format!("ip route add {subnet} via {gateway} dev {link} onlink"));
        }
    },
};

const HOST_GW: Backend = Backend {
    example: "model-routed-flannel-host-gw",
    mtu: 1500,
    join: |host, _, other| {
        host.run(&format!("ip route add 10.244.{other}.0/24 via 192.0.2.{other} dev wire"));
        host.run(&format!("ip route add fd00:244:0:{other}::/64 via 2001:db8:2::{other} dev wire"));
    },
};

/// The address flanneld gives its link: any will do, the others are told.
fn mac(node: u8, link: &str) -> String {
    format!("0e:00:00:00:0{}:0{node}", if link == "flannel.1" { 4 } else { 6 })
}

fn subnet_env(node: u8, mtu: u32) -> String {
    format!(
        "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.{node}.1/24\nFLANNEL_IPV6_NETWORK=fd00:244::/48\n\
         FLANNEL_IPV6_SUBNET=fd00:244:0:{node}::1/64\nFLANNEL_MTU={mtu}\nFLANNEL_IPMASQ=true\n"
    )
}

fn chain(example: &str) -> Chain {
    let text = std::fs::read_to_string(format!("{ANCHOR}/conf-examples/{example}.conflist")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    Chain::new(&list).runtime("portMappings", &json!([mapping(8080, 80, "tcp")]))
}

fn addresses(pod: &Container) -> [String; 2] {
    let found = pod.addresses("eth0").into_iter().map(|a| a.split_once('/').unwrap().0.to_owned());
    found.collect::<Vec<_>>().try_into().unwrap()
}

/// A node with one container of the chain, listening on the published port.
struct Joined {
    node: Node,
    pod: Container,
    result: Value,
    server: TcpListener,
    addresses: [String; 2],
}

fn join(backend: &Backend) -> [Joined; 2] {
    let [one, two] = [Node::new(), Node::new()];
    one.connect(&two, "wire", [&["192.0.2.1/24", "2001:db8:2::1/64"], &["192.0.2.2/24", "2001:db8:2::2/64"]]);
    let nodes = NUMBERS.into_iter().zip([one, two]).map(|(own, node)| {
        let (pod, result, server, addresses) = node.visit(|host| {
            write_subnet_env(&subnet_env(own, backend.mtu));
            (backend.join)(host, own, 3 - own);
            let pod = host.container("pod");
            let result = chain(backend.example).add(host, &pod, "eth0");
            let addresses = addresses(&pod);
            (pod.clone(), result, pod.listen(80), addresses)
        });
        Joined { node, pod, result, server, addresses }
    });
    nodes.collect::<Vec<_>>().try_into().ok().unwrap()
}

fn reach_each_other(backend: &Backend) {
    let nodes = join(backend);
    for (own, other) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
        own.node.visit(|_| {
            for (target, source) in other.addresses.iter().zip(&own.addresses) {
                assert!(own.pod.pings(target), "{target}");
                // Nobody translates addresses between containers.
                let to = if target.contains(':') { format!("[{target}]:80") } else { format!("{target}:80") };
                let seen = tcp(From::Container(&own.pod), &to, &other.server);
                assert_eq!(seen, Some(source.parse::<IpAddr>().unwrap()));
            }
            // The largest packet that subnet.env promises fits, and no larger one.
            let ping = |size: u32| format!("ping -n -c 1 -W 2 -M do -s {} {}", size - 28, other.addresses[0]);
            own.pod.run(&ping(backend.mtu));
            assert!(!own.pod.try_run(&ping(backend.mtu + 1)).status.success());
        });
    }
    published_port(&nodes);
    leave(backend, nodes);
}

/// The other node's published port, from a container and from the node itself.
fn published_port(nodes: &[Joined; 2]) {
    for (number, (own, other)) in [(2, (&nodes[0], &nodes[1])), (1, (&nodes[1], &nodes[0]))] {
        own.node.visit(|_| {
            for to in [format!("192.0.2.{number}:8080"), format!("[2001:db8:2::{number}]:8080")] {
                assert!(
                    tcp(From::Container(&own.pod), &to, &other.server).is_some(),
                    "{to} from the container"
                );
                assert!(tcp(From::Host, &to, &other.server).is_some(), "{to} from the node");
            }
        });
    }
}

fn leave(backend: &Backend, nodes: [Joined; 2]) {
    for Joined { node, pod, result, .. } in nodes {
        node.visit(|host| {
            chain(backend.example).check(host, &pod, "eth0", &result);
            // flanneld may be gone by then.
            host.run("rm -r /run/flannel");
            chain(backend.example).del(host, &pod, "eth0", &result);
            assert!(pod.find_link("eth0").is_none());
            assert!(host.snapshot().lines_with("file /var/lib/cni/flannel").is_empty());
        });
    }
}

#[test]
fn containers_of_two_nodes_joined_by_vxlan_reach_each_other() {
    reach_each_other(&VXLAN);
}

#[test]
fn containers_of_two_nodes_joined_by_routes_reach_each_other() {
    reach_each_other(&HOST_GW);
}
