//! What a run asked of the kernel, said again by hand, makes the same: every example with `cnitool trace --words`.

use std::fs;

use cni_tests::{Container, Host, Place, Suite, only_in, run};
use serde_json::Value;

use crate::examples::{chain, examples, is_plain, prepare};

const LOG: &str = "/run/log.json";

#[test]
fn the_words_of_every_example_can_be_said_again() {
    let lists = examples().into_iter().filter(|(_, list)| is_plain(list));
    let wrong: Vec<String> = lists.filter_map(|(name, list)| differences(&name, &list)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Between what the example's chain makes and what its words make.
fn differences(name: &str, list: &Value) -> Option<String> {
    let (mut script, mut made, mut wrong) = (String::new(), Vec::new(), None);
    Host::fresh(|host| {
        prepare(host, list);
        fs::create_dir_all("/run/cni").unwrap();
        fs::write("/run/cni/log.conf", format!("CNI_LOG={LOG}\nCNI_DEBUG=1\n")).unwrap();
        let pod = host.container("pod");
        chain(name, list).add(host, &pod, "eth0");
        let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
        let done = run(cnitool.args(["trace", "--words", LOG]), b"");
        assert!(done.status.success(), "{name}: {}", done.stderr);
        let words = String::from_utf8(done.stdout).unwrap();
        let said = |line: &&str| !line.starts_with(|c: char| c.is_ascii_digit());
        script = words.lines().filter(said).map(|line| format!("{}\n", line.trim_start())).collect();
        made = state(host, &pod, &script);
    });
    Host::fresh(|host| {
        prepare(host, list);
        let pod = host.container("pod");
        host.sh(&format!("mkdir -p /run/netns\n{script}true"));
        let again = state(host, &pod, &script);
        let (lost, more) = (only_in(&made, &again), only_in(&again, &made));
        if !lost.is_empty() || !more.is_empty() {
            wrong = Some(format!("{name}: without {lost:#?}, with {more:#?}\n{script}"));
        }
    });
    wrong
}

/// What is in both, without the hardware addresses that the kernel threw dice for: those that are not `said`.
fn state(host: &Host, pod: &Container, said: &str) -> Vec<String> {
    // Opens below /proc/sys/net are slow where there are many namespaces: what a plugin could have a reason to set.
    let names = [
        "accept_ra",
        "accept_dad",
        "arp_notify",
        "ndisc_notify",
        "disable_ipv6",
        "forwarding",
        "route_localnet",
    ];
    let files = names.map(|name| format!("ipv[46]/conf/*/{name}")).join(" ");
    let sysctls = format!("cd /proc/sys/net; grep -sH . ipv4/ip_forward {files}; true");
    let of = |place: &dyn Fn(&str) -> String, whose: &str| -> Vec<String> {
        let lines = ["tc qdisc show", &sysctls].map(place).join("\n");
        lines.lines().map(|line| format!("{whose} {line}")).collect()
    };
    let snapshots = [("host", host.snapshot()), ("pod", cni_tests::Snapshot::take(pod))];
    let mut lines: Vec<String> = snapshots
        .iter()
        .flat_map(|(whose, snapshot)| snapshot.lines().map(move |line| format!("{whose} {line}")))
        .filter(|line| !["file ", "directory ", "socket "].iter().any(|what| line.contains(what)))
        .collect();
    for line in lines.iter_mut().filter(|line| line.contains(" link ")) {
        let own = line.split('"').find(|word| word.matches(':').count() == 5 && !said.contains(word));
        if let Some(own) = own {
            *line = line.replace(own, "thrown");
        }
    }
    lines.extend(of(&|script| host.sh(script), "host"));
    lines.extend(of(&|script| pod.sh(script), "pod"));
    lines
}
