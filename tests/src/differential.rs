//! The same call by our plugins and by Debian's build of the reference, each on a host of its own.

use serde_json::{Value, json};

use crate::{Container, Host, Place, Snapshot, Suite, only_in};

/// What differs after `act`, which prepares the host and makes one attachment of the container and returns the result
/// of ADD: lines with `+` are ours, with `-` the reference's. Names and addresses nobody chose do not count, nor do
/// lines with one of `known`, the deviations.
pub fn differences(known: &[&str], act: impl Fn(&Host, Suite, &Container) -> Value + Sync) -> Vec<String> {
    let [ours, theirs] = [Suite::Ours, Suite::Reference].map(|suite| state(known, suite, &act));
    let only = |a: &[String], b: &[String], sign: char| {
        only_in(a, b).iter().map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    [only(&ours, &theirs, '+'), only(&theirs, &ours, '-')].concat()
}

/// Everything observable after one ADD, with names and addresses nobody chose replaced.
fn state(
    known: &[&str],
    suite: Suite,
    act: &(impl Fn(&Host, Suite, &Container) -> Value + Sync),
) -> Vec<String> {
    Host::fresh(|host| {
        let pod = host.container("pod");
        let mut lines = vec![format!("result {}", plain(act(host, suite, &pod)))];
        lines.extend(host.snapshot().lines().map(|l| format!("host {l}")));
        let inside = Snapshot::take(&pod);
        lines.extend(inside.lines().filter(|l| !l.starts_with("file")).map(|l| format!("container {l}")));
        for path in
            ["ipv4/conf/eth0/arp_notify", "ipv6/conf/eth0/accept_dad", "ipv6/conf/eth0/keep_addr_on_down"]
        {
            let value = pod.try_run(&format!("cat /proc/sys/net/{path}")).stdout;
            lines.push(format!("sysctl {path} {}", String::from_utf8_lossy(&value).trim()));
        }
        for path in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
            lines.push(format!("sysctl {path} {}", host.sysctl(path)));
        }
        let counts = |l: &&String| !known.iter().any(|text| l.contains(text));
        let mut lines: Vec<_> = lines.iter().filter(counts).map(|l| anonymous(l)).collect();
        lines.sort();
        lines
    })
}

/// The MTU came with spec 1.1.0 and we fill it in; releases later than Debian's leave an empty `dns` out.
pub fn plain(mut result: Value) -> Value {
    if result["cniVersion"] == "1.0.0" && result["dns"] == json!({}) {
        result.as_object_mut().unwrap().remove("dns");
    }
    for interface in result["interfaces"].as_array_mut().into_iter().flatten() {
        interface.as_object_mut().unwrap().remove("mtu");
    }
    result
}

/// Replaces `veth` + 8 hex digits and MAC addresses that are not the configured one.
fn anonymous(line: &str) -> String {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let veth = rest.strip_prefix("veth").and_then(|r| r.get(..8)).is_some_and(is_hex);
        let mac = rest
            .get(..17)
            .is_some_and(|m| m.split(':').count() == 6 && m.split(':').all(|b| b.len() == 2 && is_hex(b)));
        if veth {
            out.push_str("veth*");
            rest = &rest[12..];
        } else if mac && !rest.starts_with("0a:00:00:00") && !rest.starts_with("00:00:00") {
            out.push_str("MAC");
            rest = &rest[17..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
