//! `cnitool gc`.

use std::fs;

use cni_tests::{Container, Finished, Host, Place, Service, Snapshot, Suite};
use serde_json::{Value, json};

use crate::kit::{
    NET_D, attach, cnitool, cnitool_with, done, forget_namespaces, full_chain, id, network, text,
};

fn said(finished: &Finished) -> String {
    format!("{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr)
}

/// What a run leaves for the metrics.
fn is_note(line: &str) -> bool {
    line.contains("/run/cni/gc.json")
}

fn assert_untouched(host: &Host, before: &Snapshot, after: &str) {
    let differs: Vec<_> = host.snapshot().since(before).into_iter().filter(|line| !is_note(line)).collect();
    assert!(differs.is_empty(), "after {after}: {differs:#?}");
}

/// In both protocols: 1.0.0 has no GC. And with the cache of both: those that speak 1.0.0 write no namespace to it.
#[test]
fn the_dead_go_and_the_living_stay_untouched() {
    for version in ["1.0.0", "1.1.0"] {
        Host::fresh(|host| {
            network("net", version, &full_chain("nftables"));
            let alive = attach(host, "net", "alive", 8080);
            if version == "1.0.0" {
                forget_namespaces(host);
            }
            let before = host.snapshot();
            let dead = [("killed", 8081), ("unlisted", 8082), ("uncached", 8083)]
                .map(|(name, port)| attach(host, "net", name, port));
            let [killed, unlisted, uncached] = &dead;
            let file = |pod: &Container| format!("/var/lib/cni/results/net-{}-eth0", id(host, pod));
            // The kernel takes its time over namespaces, and none over links.
            killed.run("ip link delete eth0");
            killed.remove_netns();
            host.run(&format!("rm {}", file(uncached)));
            uncached.run("ip link delete eth0");
            uncached.remove_netns();
            if version == "1.0.0" {
                forget_namespaces(host);
            }
            host.run(&format!("touch -d -10min {} {}", file(unlisted), file(&alive)));
            fs::write("/run/list", format!("{}\nsomebody-else\n", id(host, &alive))).unwrap();
            let all = host.snapshot();
            let dry = done(host, &["gc", "--keep", "file=/run/list", "--dry-run"]);
            assert!(dry.ends_with("1 alive, 3 dead, 0 not proven dead\n"), "{dry}");
            host.snapshot().assert_same_as(&all, "a dry run");
            let said = done(host, &["gc", "--keep", "file=/run/list"]);
            assert!(said.ends_with("3 dead, 0 not proven dead\n3 removed\n"), "{said}");
            let differs = host.snapshot().since(&before);
            let grown = |line: &String| line.contains("last_reserved_ip") || is_note(line);
            assert!(differs.iter().all(grown), "cniVersion {version}: {differs:#?}");
            done(host, &["check", "net", alive.netns().to_str().unwrap()]);
            let again = done(host, &["gc", "--keep", "file=/run/list"]);
            assert_eq!(again, "1 alive, 0 dead, 0 not proven dead\n");
        });
    }
}

/// A runtime that is not there, or speaks nonsense, or nobody in its list; a list for another network; nobody asked.
#[test]
fn nothing_goes_that_is_not_proven_dead() {
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    network(
        "other",
        "1.1.0",
        &json!([{ "type": "ptp", "ipam": { "type": "host-local", "subnet": "10.23.0.0/16" } }]),
    );
    let [a, b] = ["a", "b"].map(|name| attach(host, "net", name, 8080 + u16::from(name.as_bytes()[0])));
    let _c = attach(host, "other", "c", 9090);
    host.sh("touch -d -10min /var/lib/cni/results/*");
    // Without a file it may be in the making.
    host.run(&format!("rm /var/lib/cni/results/net-{}-eth0", id(host, &b)));
    let before = host.snapshot();
    fs::write("/run/empty", "# nobody\n").unwrap();
    fs::write("/run/words", "a b\n").unwrap();
    fs::write("/run/strangers", "0123456789abcdef\n").unwrap();
    fs::create_dir("/run/bin").unwrap();
    let path = format!("/run/bin:{}", std::env::var("PATH").unwrap());
    for (args, status, gist) in [
        (&["gc"][..], 1, "who is alive? --keep takes crictl, podman"),
        (&["gc", "net"], 1, "who is alive?"),
        (&["gc", "--keep", "crictl"], 1, "cannot ask crictl which containers are alive"),
        (&["gc", "--keep", "file=/run/none"], 1, "cannot read the list /run/none"),
        (&["gc", "--keep", "file=/run/empty"], 1, "the list /run/empty is empty"),
        (&["gc", "--keep", "-"], 1, "the list stdin is empty"),
        (&["gc", "--keep", "file=/run/words"], 1, "\"a b\" is no container id"),
        (&["gc", "--keep", "netns-dir=/run/none"], 1, "cannot list /run/none"),
        (&["gc", "--keep", "none", "nett"], 1, "did you mean \"net\"?"),
        (&["gc", "--keep", "file=/run/strangers", "nett"], 1, "did you mean \"net\"?"),
        (&["gc", "--keep", "file=/run/strangers"], 0, "the list has nobody of this network"),
        (&["gc", "--keep", "netns-dir=/run/netns"], 0, "3 alive, 0 dead"),
        (&["gc", "--keep", "netns-dir=/run/bin"], 0, "0 alive, 0 dead, 3 not proven dead"),
    ] {
        let finished = cnitool_with(host, args, &[("PATH", &path)]);
        let said = said(&finished);
        assert_eq!(finished.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(gist), "{args:?}: {gist:?} is not in {said}");
        assert_untouched(host, &before, &format!("{args:?}"));
    }
    // What crictl 1.28 prints, with a sandbox that is a, and then in other words.
    let crictl = |text: &str| {
        fs::write("/run/answer", text).unwrap();
        host.sh("printf '#!/bin/sh\\n[ \"$*\" = \"pods -o json\" ] && cat /run/answer\\n' > /run/bin/crictl && chmod 755 /run/bin/crictl");
        cnitool_with(host, &["gc", "--keep", "crictl", "--grace", "0"], &[("PATH", &path)])
    };
    for nonsense in ["", "POD ID  CREATED\n", "{\"items\":[{\"metadata\":{}}]}"] {
        let finished = crictl(nonsense);
        assert_eq!(finished.status.code(), Some(1), "{nonsense}");
        assert!(
            finished.stderr.contains("crictl pods did not answer with a list of pods"),
            "{}",
            finished.stderr
        );
    }
    let pods = json!({ "items": [{ "id": id(host, &a), "metadata": { "name": "a", "uid": "u", "namespace": "default", "attempt": 0 },
        "state": "SANDBOX_READY", "createdAt": "1732770000000000000", "labels": {}, "annotations": {}, "runtimeHandler": "" }] });
    let said = text(&crictl(&pods.to_string()), &["crictl"]);
    // c's network is not the list's, and b may be in the making.
    assert!(said.ends_with("1 alive, 0 dead, 2 not proven dead\n"), "{said}");
    assert_untouched(host, &before, "crictl");
    // Files that nobody can read are nobody's to remove.
    for (file, text) in
        [("net-x-eth0", "{\"kind\":\"cniCacheV1\",\"conta"), ("net-y-eth0", "{\"kind\":\"cniCacheV2\"}")]
    {
        fs::write(format!("/var/lib/cni/results/{file}"), text).unwrap();
    }
    let before = host.snapshot();
    done(host, &["gc", "--keep", "file=/run/strangers", "--yes"]);
    assert_untouched(host, &before, "a cache of others");
}

/// As the Go tool's: everything, and through the protocol's GC.
#[test]
fn keep_none_removes_all() {
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let first = attach(host, "net", "first", 8080);
    done(host, &["del", "net", first.netns().to_str().unwrap()]);
    let before = host.snapshot();
    attach(host, "net", "a", 8080);
    assert_eq!(done(host, &["gc", "--keep", "none", "--dry-run", "net"]), "net: everything goes\n");
    done(host, &["gc", "--keep", "none"]);
    let differs = host.snapshot().since(&before);
    assert!(differs.iter().all(|line| line.contains("last_reserved_ip") || is_note(line)), "{differs:#?}");
}

/// Containers come while gc runs again and again, with lists that are as old as they can be: all that came are whole.
#[test]
fn an_add_beside_gc_loses_nothing() {
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let first = attach(host, "net", "first", 8079);
    let mut collector = host.command("sh");
    let tool = Suite::Ours.source().join("cnitool");
    let tool = tool.display();
    // The list is of who is there now; whoever comes later is not in it.
    let list = "find /var/lib/cni/results -name 'net-*' | sed 's/.*net-//; s/-eth0//'";
    let script = format!(
        "while [ ! -e /run/stop ]; do {list} > /run/list; {tool} gc --keep file=/run/list --yes || echo wrong; echo round; done"
    );
    collector.args(["-c", &script]).env("NETCONFPATH", NET_D).env("CNI_PATH", Suite::Ours.source());
    let collector = Service::start(&mut collector);
    let mut pods = vec![first];
    for n in 0..40 {
        pods.push(attach(host, "net", &format!("pod{n}"), 8080 + n));
    }
    collector.nth_line(3, &["round"]);
    fs::write("/run/stop", "").unwrap();
    collector.wait_for("its end", |lines| (lines.last()? == "round").then_some(()));
    assert_eq!(collector.count(&["wrong"]), 0, "{:?}", collector.lines());
    for pod in &pods {
        done(host, &["check", "net", pod.netns().to_str().unwrap()]);
    }
    assert_eq!(cnitool(host, &["restore"]).status.code(), Some(0));
}

/// What one call of cnitool had the plugins do hangs together, several at a time too.
#[test]
fn the_runs_of_one_call_are_one_trace() {
    let host = &Host::new();
    network("net", "1.0.0", &full_chain("nftables"));
    let pods = ["a", "b", "c"].map(|name| attach(host, "net", name, 8080 + u16::from(name.as_bytes()[0])));
    fs::write("/run/list", "somebody-else\n").unwrap();
    for pod in &pods[1..] {
        pod.run("ip link delete eth0");
        pod.remove_netns();
    }
    for (args, verb, least) in
        [(&["gc", "--keep", "file=/run/list"][..], "GC", 1 + 2 * 4), (&["restore"][..], "RESTORE", 1)]
    {
        let log = format!("/run/{verb}");
        text(&cnitool_with(host, args, &[("CNI_LOG", log.as_str())]), args);
        let lines = fs::read_to_string(&log).unwrap();
        let runs: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(runs.len() >= least, "{verb}: {runs:?}");
        let phases = |run: &Value| run["phases"].as_array().unwrap().clone();
        let spans: Vec<Value> = runs
            .iter()
            .flat_map(|run| phases(run).into_iter().chain([run.clone()]))
            .map(|s| s["span_id"].clone())
            .collect();
        let roots: Vec<_> = runs.iter().filter(|run| !spans.contains(&run["parent_span_id"])).collect();
        assert_eq!(roots.len(), 1, "{verb}: {roots:?}");
        assert_eq!((&roots[0]["plugin"], &roots[0]["verb"]), (&json!("cnitool"), &json!(verb)));
        assert!(runs.iter().all(|run| run["trace_id"] == roots[0]["trace_id"]), "{verb}: {runs:?}");
    }
}
