//! Upgrades in place: one side is still Debian's build of the reference.

use cni_tests::{DHCP_SOCKET, DhcpServer, Host, Place, needs};

use crate::{address, conf, kea, linked, server};

#[test]
fn its_client_and_our_daemon() {
    needs!(Reference, Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = linked(&host);
    let conf = conf().version("1.0.0");
    let result = host.reference("dhcp").add(&conf, &pod, "eth0").result();
    kea.holds(&[address(&result)]);
    host.reference("dhcp").check(&conf.clone().prev(&result), &pod, "eth0").done();
    // One lease for both clients.
    assert_eq!(host.plugin("dhcp").add(&conf, &pod, "eth0").result()["ips"], result["ips"]);
    assert_eq!(kea.received("DHCPDISCOVER"), 1);
    host.reference("dhcp").del(&conf, &pod, "eth0").done();
    kea.holds(&[]);
    host.reference("dhcp").del(&conf, &pod, "eth0").done();
}

#[test]
fn its_client_gets_our_daemons_errors() {
    needs!(Reference);
    let host = Host::new();
    host.ensure_segment();
    let _daemon = host.dhcp_daemon(&crate::IMPATIENT);
    let pod = linked(&host);
    let conf = conf().version("1.0.0");
    let error = host.reference("dhcp").add(&conf, &pod, "eth0").error();
    assert!(error.text.contains("error calling DHCP.Allocate: no more tries"), "{error:?}");
    let wrong = conf.ipam("provide", serde_json::json!([{ "option": "nonsense", "value": "x" }]));
    let error = host.reference("dhcp").add(&wrong, &pod, "eth0").error();
    assert!(error.text.contains("nonsense"), "{error:?}");
}

#[test]
fn our_client_and_its_daemon() {
    needs!(Reference, Dnsmasq);
    let host = Host::new();
    let dnsmasq = DhcpServer::dnsmasq(&server(&host), 0, &["--dhcp-option=3,10.77.0.1"]);
    let _daemon = host.reference_dhcp_daemon(DHCP_SOCKET, &[]);
    let pod = linked(&host);
    for version in ["1.1.0", "0.2.0"] {
        let conf = conf().version(version);
        let result = host.plugin("dhcp").add(&conf, &pod, "eth0").result();
        let text = result.to_string();
        let held = dnsmasq.addresses();
        assert!(held.len() == 1 && text.contains(&format!("{}/24", held[0])), "{text}");
        assert!(text.contains("10.77.0.1\""), "{text}");
        if version == "1.1.0" {
            host.plugin("dhcp").check(&conf.clone().prev(&result), &pod, "eth0").done();
            host.plugin("dhcp").status(&conf).done();
            // It has no way to be told which leases to end.
            host.plugin("dhcp").gc(&conf, &[(&pod, "eth0")]).error().says(11, &["older", "restart"]);
            dnsmasq.holds(&[&held[0]]);
        }
        host.plugin("dhcp").del(&conf, &pod, "eth0").done();
        host.plugin("dhcp").del(&conf, &pod, "eth0").done();
        dnsmasq.holds(&[]);
    }
}

#[test]
fn the_daemon_is_replaced_while_a_pod_runs() {
    needs!(Reference, Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let old = host.reference_dhcp_daemon(DHCP_SOCKET, &[]);
    let pod = linked(&host);
    let conf = conf().version("1.0.0");
    let result = host.reference("dhcp").add(&conf, &pod, "eth0").result();
    pod.run(&format!("ip address add {}/24 dev eth0", address(&result)));
    old.end("KILL");
    let _daemon = host.dhcp_daemon(&[]);
    // The old one remembers nothing, and its client id is ours: the server gives the pod its address again.
    let again = host.plugin("dhcp").add(&conf, &pod, "eth0").result();
    assert_eq!(address(&again), address(&result));
    host.plugin("dhcp").del(&conf, &pod, "eth0").done();
    kea.holds(&[]);
}
