//! What cnitool shows of a node, compared with what `ip`, `nft` and the files say.

mod graph;
mod list;
mod metrics;
mod vlans;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cni_tests::{Container, Finished, Host, Place, Suite, run};
use serde_json::{Value, json};

/// Where this host's network configurations are.
const NETWORKS: &str = "/run/net.d";
/// libcni's cache.
const RESULTS: &str = "/var/lib/cni/results";

/// A node with a bridged network and a routed one, and cnitool to look at it.
struct Seen {
    host: Host,
}

impl Seen {
    fn new() -> Self {
        let host = Host::new();
        fs::create_dir_all(NETWORKS).unwrap();
        let web = json!({ "cniVersion": "1.1.0", "name": "web", "plugins": [
            { "type": "bridge", "bridge": "web0", "isGateway": true, "ipMasq": true, "ipMasqBackend": "nftables",
              "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.22.0.0/24" }], [{ "subnet": "fd00:22::/64" }]] } },
            { "type": "portmap", "backend": "nftables", "capabilities": { "portMappings": true } },
        ] });
        let p2p = json!({ "cniVersion": "1.1.0", "name": "p2p", "plugins": [
            { "type": "ptp", "ipam": { "type": "host-local", "subnet": "10.33.0.0/29" } },
            { "type": "bandwidth", "ingressRate": 10_000_000, "ingressBurst": 1_000_000 },
        ] });
        for (file, list) in [("10-web", web), ("20-p2p", p2p)] {
            fs::write(format!("{NETWORKS}/{file}.conflist"), list.to_string()).unwrap();
        }
        Self { host }
    }

    fn command(&self, arguments: &str) -> std::process::Command {
        let mut command = self.host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
        command.args(arguments.split_whitespace());
        command.env("NETCONFPATH", NETWORKS).env("CNI_PATH", Suite::Ours.source());
        command
    }

    fn cnitool(&self, arguments: &str) -> Finished {
        run(&mut self.command(arguments), b"")
    }

    /// What it prints; it must succeed.
    fn text(&self, arguments: &str) -> String {
        let done = self.cnitool(arguments);
        assert!(done.status.success(), "cnitool {arguments}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn attach(&self, network: &str, pod: &str) -> Container {
        self.attach_with(network, pod, "{}")
    }

    fn attach_with(&self, network: &str, pod: &str, capabilities: &str) -> Container {
        let container = self.host.container(pod);
        let mut command = self.command(&format!("add {network} /run/netns/{pod}"));
        command.env("CNI_ARGS", format!("IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME={pod}"));
        let done = run(command.env("CAP_ARGS", capabilities), b"");
        assert!(done.status.success(), "{done:?}");
        container
    }

    /// Switches the trace on for the node.
    fn trace(&self) {
        self.host.sh("install -d -m 700 /run/cni && echo CNI_LOG=/run/cni/log.json > /run/cni/log.conf");
    }

    fn list(&self) -> Vec<Value> {
        let document: Value = serde_json::from_str(&self.text("ls -o json")).unwrap();
        document["attachments"].as_array().unwrap().clone()
    }

    /// The pod's entry in the list.
    fn of(&self, pod: &str) -> Value {
        let list = self.list();
        let found = list.iter().find(|entry| entry["pod"] == pod);
        found.unwrap_or_else(|| panic!("{pod} is not listed: {list:#?}")).clone()
    }

    /// The pod's file in the cache.
    fn file(&self, pod: &str) -> String {
        self.of(pod)["cacheFile"].as_str().unwrap().to_owned()
    }

    /// A file system as others see it that are not root.
    fn open_to_all(&self) {
        for dir in ["/run", NETWORKS, "/var/lib/cni"] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}
