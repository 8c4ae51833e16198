//! The recipes of `docs/operating.md`, taken from the document and run.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cni_tests::{ANCHOR, Chain, Finished, Host, Place, needs, run};
use serde_json::{Value, json};

const CONFLIST: &str = "/run/10-web.conflist";
const BIN: &str = "/run/cni-tests/ours";

/// The first shell block behind the heading, for this host's places.
fn recipe(heading: &str) -> String {
    let document = fs::read_to_string(format!("{ANCHOR}/docs/operating.md")).unwrap();
    let section = document.split_once(&format!("\n## {heading}\n")).expect("the heading").1;
    let block = section.split("```").nth(1).expect("a block");
    assert!(
        section.find("\n## ").is_none_or(|next| section.find("```").unwrap() < next),
        "it is this section's"
    );
    block.replace("/etc/cni/net.d/10-web.conflist", CONFLIST).replace("/opt/cni/bin", BIN)
}

/// Runs it with a `crictl` that prints `pods`, or fails.
fn follow(host: &Host, recipe: &str, pods: Option<&str>) -> Finished {
    fs::create_dir_all("/run/stubs").unwrap();
    let crictl = pods.map_or_else(|| "exit 1".to_owned(), |pods| format!("printf '{pods}'"));
    fs::write("/run/stubs/crictl", format!("#!/bin/sh\n{crictl}\n")).unwrap();
    fs::set_permissions("/run/stubs/crictl", fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("/run/stubs:{}", std::env::var("PATH").unwrap());
    run(host.command("sh").env("PATH", path).args(["-c", recipe]), b"")
}

fn list() -> Value {
    json!({ "cniVersion": "1.0.0", "name": "web", "plugins": [
        { "type": "bridge", "bridge": "web0", "isGateway": true, "ipMasq": true, "ipMasqBackend": "nftables",
          "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.22.0.0/24" }]] } },
        { "type": "portmap", "backend": "nftables", "capabilities": { "portMappings": true } },
    ] })
}

fn attach(host: &Host, id: &str, host_port: u16) -> (Value, Value) {
    let mappings = json!([{ "hostPort": host_port, "containerPort": 80, "protocol": "tcp" }]);
    let result =
        Chain::new(&list()).runtime("portMappings", &mappings).add(host, &host.container(id), "eth0");
    (result, mappings)
}

fn ruleset(host: &Host) -> String {
    host.run("nft list ruleset")
}

#[test]
fn the_recipe_for_gc_closes_the_host_ports_of_what_it_collects() {
    needs!(Jq);
    let host = Host::new();
    fs::write(CONFLIST, list().to_string()).unwrap();
    for (id, port) in [("alive", 8081), ("gone", 8082), ("lost", 8083)] {
        attach(&host, id, port);
    }
    let before = ruleset(&host);
    let gc = recipe("GC");

    let failed = follow(&host, &gc, None);
    assert!(!failed.status.success(), "without the list of pods nothing may be collected");
    assert_eq!(ruleset(&host), before);

    let done = follow(&host, &gc, Some("alive\\ngone\\n"));
    assert!(done.status.success() && done.stdout.is_empty(), "{}: {done:?}", done.status);
    let ports = || [8081, 8082, 8083].map(|port| ruleset(&host).contains(&port.to_string()));
    assert_eq!(ports(), [true, true, false], "{}", ruleset(&host));
    let reserved = |address: &str| fs::exists(format!("/var/lib/cni/networks/web/{address}")).unwrap();
    assert_eq!(["10.22.0.2", "10.22.0.3", "10.22.0.4"].map(reserved), [true, true, false]);

    follow(&host, &gc, Some(""));
    assert_eq!(ports(), [false; 3], "{}", ruleset(&host));
    assert_eq!(["10.22.0.2", "10.22.0.3", "10.22.0.4"].map(reserved), [false; 3]);
}

#[test]
fn the_recipe_for_check_sees_what_every_plugin_made() {
    needs!(Jq);
    let host = Host::new();
    let (result, mappings) = attach(&host, "pod", 8081);
    let list = list().to_string();
    let stored = json!({ "kind": "cniCacheV1", "containerId": "pod", "ifName": "eth0", "networkName": "web",
        "netns": "/run/netns/pod", "capabilityArgs": { "portMappings": mappings, "other": 1 }, "result": result,
        "config": host.sh(&format!("printf '%s' '{list}' | base64 -w0")) });
    fs::write("/run/stored", stored.to_string()).unwrap();
    let check =
        recipe("CHECK by hand").replacen("/var/lib/cni/results/web-<container id>-eth0", "/run/stored", 1);

    let done = follow(&host, &check, None);
    assert!(done.stdout.is_empty(), "{done:?}");
    host.run("nft flush ruleset");
    let text = String::from_utf8(follow(&host, &check, None).stdout).unwrap();
    assert_eq!(text.matches("\"code\": 103").count(), 2, "bridge's masquerade and portmap's port: {text}");
}
