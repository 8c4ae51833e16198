//! What is asked of the server, what is told it, and what becomes of its answer.

use cni_tests::{Conf, Container, DhcpServer, Host, Place, needs};
use serde_json::{Value, json};

use crate::{address, conf, server};

/// One ADD and DEL with `options` of dnsmasq; the result and the pod's state in between.
fn result_with(options: &[&str], conf: &Conf, see: impl FnOnce(&Container, &Value) + Send) {
    Host::fresh(|host| {
        let _dnsmasq = DhcpServer::dnsmasq(&server(host), 0, options);
        let _daemon = host.dhcp_daemon(&[]);
        let pod = host.container("pod");
        let result = host.plugin("bridge").add(conf, &pod, "eth0").result();
        see(&pod, &result);
        host.plugin("bridge").del(conf, &pod, "eth0").done();
    });
}

const ROUTERS: &str = "--dhcp-option=3,10.77.0.1";

#[test]
fn routes_come_from_options_3_33_and_121() {
    needs!(Dnsmasq);
    result_with(&["--dhcp-option=3"], &conf(), |_, result| {
        assert_eq!((&result["routes"], &result["ips"][0]["gateway"]), (&Value::Null, &Value::Null));
    });
    result_with(&[ROUTERS], &conf(), |pod, result| {
        assert_eq!(result["ips"][0]["gateway"], "10.77.0.1");
        assert_eq!(result["routes"], json!([{ "dst": "0.0.0.0/0", "gw": "10.77.0.1" }]));
        assert_eq!(pod.routes("-4", "default").len(), 1);
    });
    // Classful masks; the default route comes last.
    let classful = "--dhcp-option=33,10.9.0.0,10.77.0.9,192.0.2.0,10.77.0.8";
    result_with(&[ROUTERS, classful], &conf(), |_, result| {
        let expected = json!([
            { "dst": "10.0.0.0/8", "gw": "10.77.0.9" },
            { "dst": "192.0.2.0/24", "gw": "10.77.0.8" },
            { "dst": "0.0.0.0/0", "gw": "10.77.0.1" },
        ]);
        assert_eq!(result["routes"], expected);
    });
    // Option 121 makes the others void (RFC 3442); a router of 0.0.0.0 means that the network is on the link.
    let classless = "--dhcp-option=121,10.9.0.0/16,10.77.0.9,198.51.100.0/24,0.0.0.0";
    result_with(&[ROUTERS, classful, classless], &conf(), |pod, result| {
        let expected = json!([
            { "dst": "10.9.0.0/16", "gw": "10.77.0.9" },
            { "dst": "198.51.100.0/24", "scope": 253 },
        ]);
        let routes: Vec<_> = result["routes"].as_array().unwrap().to_vec();
        let without_any = routes.into_iter().map(|mut route| {
            let gw = route.as_object_mut().unwrap();
            gw.retain(|key, value| key != "gw" || value != "0.0.0.0");
            route
        });
        assert_eq!(Value::Array(without_any.collect()), expected);
        assert_eq!(pod.routes("-4", "198.51.100.0/24")[0]["scope"], "link");
        assert!(pod.routes("-4", "default").is_empty());
    });
}

#[test]
fn every_route_gets_the_priority() {
    needs!(Dnsmasq);
    let routes = "--dhcp-option=33,10.9.0.0,10.77.0.9";
    result_with(&[ROUTERS, routes], &conf().ipam("priority", 42), |pod, result| {
        let priorities = result["routes"].as_array().unwrap().iter().map(|route| &route["priority"]);
        assert_eq!(priorities.collect::<Vec<_>>(), [&json!(42), &json!(42)]);
        assert_eq!(pod.routes("-4", "default")[0]["metric"], 42);
    });
}

#[test]
fn dns_and_mtu_are_in_the_result() {
    needs!(Dnsmasq);
    let options = [
        ROUTERS,
        "--dhcp-option=6,10.77.0.1,192.0.2.53",
        "--dhcp-option=15,example.org",
        "--dhcp-option=119,a.example.org,b.example.org",
        "--dhcp-option=26,1400",
    ];
    result_with(&options, &conf(), |pod, result| {
        let dns = json!({
            "nameservers": ["10.77.0.1", "192.0.2.53"], "domain": "example.org",
            "search": ["a.example.org", "b.example.org"],
        });
        assert_eq!(result["dns"], dns);
        assert_eq!(pod.routes("-4", "default")[0]["metrics"][0]["mtu"], 1400);
    });
}

/// What Kea has seen in a message of the kind: `type=012, len=003: "web" (string)` and so on.
fn options_in(kea: &DhcpServer, kind: &str) -> Vec<String> {
    let header = format!("msg_type={kind}");
    kea.service.wait_for(kind, |lines| {
        let at = lines.iter().position(|line| line.contains("DHCP4_QUERY_DATA") && line.contains(&header))?;
        let options = lines[at + 2..].iter().take_while(|line| line.starts_with("  type="));
        let options: Vec<_> = options.map(|line| line.trim().to_owned()).collect();
        // The line behind them has come, so they are complete.
        (lines.len() > at + 2 + options.len()).then_some(options)
    })
}

fn seen(conf: &Conf, args: &str) -> [Vec<String>; 2] {
    let host = Host::new();
    let kea = DhcpServer::kea(&server(&host), 0, &json!({}));
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = host.plugin("bridge").env("CNI_ARGS", args).add(conf, &pod, "eth0").result();
    kea.holds(&[address(&result)]);
    ["DHCPDISCOVER", "DHCPREQUEST"].map(|kind| options_in(&kea, kind))
}

fn has(options: &[String], code: &str, text: &str) {
    let found = options.iter().find(|option| option.starts_with(&format!("type={code},")));
    assert!(found.is_some_and(|option| option.contains(text)), "{code}: {text} is not in {options:?}");
}

#[test]
fn the_server_sees_what_is_provided_and_requested() {
    needs!(Kea);
    let provide = json!([
        { "option": "host-name", "value": "fallback", "fromArg": "K8S_POD_NAME" },
        { "option": "60", "value": "vendor" },
        { "option": "12", "fromArg": "NOT_THERE" },
        { "option": "user-class", "value": "class" },
    ]);
    let request = json!([{ "option": "routers" }, { "option": "42" }]);
    let conf = conf().ipam("provide", provide).ipam("request", request);
    for options in seen(&conf, "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=web-0") {
        has(&options, "012", "\"web-0\"");
        has(&options, "060", "\"vendor\"");
        for wanted in [" 1(uint8)", " 3(uint8)", " 42(uint8)"] {
            has(&options, "055", wanted);
        }
        has(&options, "057", "1500");
        // `pod/net/eth0`, type 0.
        has(&options, "061", "00:70:6f:64:2f:6e:65:74:2f:65:74:68:30");
    }
}

#[test]
fn without_the_argument_the_value_stays_and_only_what_is_listed_is_requested() {
    needs!(Kea);
    let conf = conf()
        .ipam("provide", json!([{ "option": "host-name", "value": "fallback", "fromArg": "K8S_POD_NAME" }]))
        .ipam("request", json!([{ "skipDefault": true, "option": "subnet-mask" }]));
    for options in seen(&conf, "") {
        has(&options, "012", "\"fallback\"");
        has(&options, "055", "len=001: 1(uint8)");
    }
}

#[test]
fn the_server_files_the_lease_under_the_pods_name() {
    needs!(Dnsmasq);
    let own = json!([{ "option": "host-name", "fromArg": "NAME" }]);
    for (conf, name) in [(conf(), "web-0"), (conf().ipam("provide", own), "mine")] {
        Host::fresh(|host| {
            let dnsmasq = DhcpServer::dnsmasq(&server(host), 0, &[]);
            let _daemon = host.dhcp_daemon(&[]);
            let pod = host.container("pod");
            let args = "IgnoreUnknown=1;K8S_POD_NAME=web-0;NAME=mine";
            let result = host.plugin("bridge").env("CNI_ARGS", args).add(&conf, &pod, "eth0").result();
            dnsmasq.holds(&[address(&result)]);
            assert_eq!(dnsmasq.leases().into_values().next().unwrap().hostname, name);
        });
    }
}
