//! Networks on a host, used through `cnitool`.

use std::fs;

use cni_tests::{Container, Finished, Host, Place, Suite, Trace, run};
use serde_json::{Value, json};

/// `/etc/cni/net.d` of the test.
pub(crate) const NET_D: &str = "/run/net.d";

/// A plugin's executable that is not there: the runtime's own.
pub(crate) fn cnitool(host: &Host, args: &[&str]) -> Finished {
    cnitool_with(host, args, &[])
}

/// The same with variables set.
pub(crate) fn cnitool_with(host: &Host, args: &[&str], env: &[(&str, &str)]) -> Finished {
    let mut command = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    command.args(args).env("NETCONFPATH", NET_D).env("CNI_PATH", Suite::Ours.source());
    run(command.envs(env.iter().copied()), b"")
}

/// The same under a trace, whatever becomes of it.
pub(crate) fn under(host: &Host, trace: &Trace, args: &[&str]) -> Finished {
    let words = trace.command();
    let mut command = host.command(words[0]);
    command.args(&words[1..]).arg(Suite::Ours.source().join("cnitool")).args(args);
    run(command.env("NETCONFPATH", NET_D).env("CNI_PATH", Suite::Ours.source()), b"")
}

/// The container id that cnitool gives a namespace.
pub(crate) fn id(host: &Host, pod: &Container) -> String {
    let hash = host.sh(&format!("printf %s {} | sha512sum | cut -c1-20", pod.netns().display()));
    format!("cnitool-{}", hash.trim())
}

/// It succeeds; its stdout.
pub(crate) fn done(host: &Host, args: &[&str]) -> String {
    text(&cnitool(host, args), args)
}

/// What a command that succeeded has printed.
pub(crate) fn text(finished: &Finished, args: &[&str]) -> String {
    let out = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(finished.status.success(), "{args:?}: {}\n{out}{}", finished.status, finished.stderr);
    out
}

/// Writes a network's list.
pub(crate) fn network(name: &str, version: &str, plugins: &Value) {
    let list = json!({ "cniVersion": version, "name": name, "plugins": plugins });
    fs::create_dir_all(NET_D).unwrap();
    fs::write(format!("{NET_D}/{name}.conflist"), list.to_string()).unwrap();
}

/// A bridge with addresses, ports, firewall and limits, all in one packet filter.
pub(crate) fn full_chain(backend: &str) -> Value {
    json!([
        { "type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true, "ipMasqBackend": backend,
          "macspoofchk": true,
          "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.22.0.0/16" }], [{ "subnet": "fd00:22::/64" }]] } },
        { "type": "portmap", "backend": backend, "snat": true, "capabilities": { "portMappings": true } },
        { "type": "firewall", "backend": backend },
        { "type": "bandwidth", "ingressRate": 800_000_000, "egressRate": 800_000_000 },
        { "type": "tuning", "sysctl": { "net.ipv4.conf.IFNAME.log_martians": "1" } },
    ])
}

/// Has the cache as libcni before 1.3 writes it, which containerd 1.6 and podman 4 have: it names no namespace.
pub(crate) fn forget_namespaces(host: &Host) {
    host.sh("sed -i 's/\"netns\":\"[^\"]*\",//' /var/lib/cni/results/net-*");
    host.sh("! grep -q netns\\\": /var/lib/cni/results/net-*");
}

/// Attaches a new container, with `port` of the host mapped to its port 80.
pub(crate) fn attach(host: &Host, network: &str, name: &str, port: u16) -> Container {
    let pod = host.container(name);
    let ports =
        json!({ "portMappings": [{ "hostPort": port, "containerPort": 80, "protocol": "tcp" }] }).to_string();
    let netns = pod.netns();
    let args = ["add", network, netns.to_str().unwrap()];
    text(&cnitool_with(host, &args, &[("CAP_ARGS", &ports)]), &args);
    pod
}
