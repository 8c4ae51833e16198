//! Links that share their Ethernet address.

use cni_tests::{Container, DhcpServer, Host, Place, SEGMENT, needs};

use crate::{address, conf, server};

/// The link an ipvlan plugin would have made.
fn link(host: &Host, pod: &Container) {
    host.run(&format!("ip link add tmp-{id} link uplink type ipvlan mode l2", id = pod.id()));
    host.run(&format!("ip link set tmp-{id} netns {id} name eth0", id = pod.id()));
}

#[test]
fn ipvlans_get_leases_too() {
    needs!(Ipvlan, Dnsmasq);
    let host = Host::new();
    // Kea would send what is for everybody to the one Ethernet address that all of them have.
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &[]);
    host.run("ip link add uplink type veth peer name port-uplink");
    host.run(&format!("ip link set port-uplink master {SEGMENT} up"));
    host.run("ip link set uplink up");
    let _daemon = host.dhcp_daemon(&[]);
    let pods = ["one", "two"].map(|id| host.container(id));
    let mut leased = Vec::new();
    for pod in &pods {
        link(&host, pod);
        let result = host.plugin("dhcp").add(&conf(), pod, "eth0").result();
        leased.push(address(&result).to_owned());
        // A release goes out from the address.
        pod.run(&format!("ip address add {}/24 dev eth0", address(&result)));
    }
    dnsmasq.holds(&[&leased[0], &leased[1]]);
    for pod in &pods {
        host.plugin("dhcp").del(&conf(), pod, "eth0").done();
    }
    dnsmasq.holds(&[]);
}
