//! Everything a plugin could leave on a host, as sorted lines to compare.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use serde_json::Value;

use crate::Place;

/// The state of a host: links, addresses, routes, permanent neighbours, packet filter, files. Not in it is what
/// changes by itself: interface indexes, carrier, link-local IPv6, learnt neighbours, counters, handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

impl Snapshot {
    /// The state of a host or a container; files are the host's in both cases.
    pub fn take(host: &impl Place) -> Self {
        let mut lines = BTreeSet::new();
        for link in host.ip("address show") {
            lines.insert(link_line(&link));
            lines.extend(address_lines(&link));
        }
        for family in ["-4", "-6"] {
            let routes = host.run(&format!("ip {family} route show table all"));
            // Those to an IPv6 address itself come when nobody else turned out to have it, and the address is a line
            // anyway.
            let comes_with_address =
                |r: &str| family == "-6" && (r.starts_with("local ") || r.starts_with("anycast "));
            let own = |r: &&str| !r.contains("fe80::") && !r.contains("ff00::/8") && !comes_with_address(r);
            // `linkdown` follows the carrier.
            let plain = |r: &str| r.replace(" linkdown", "").trim_end().to_owned();
            lines.extend(routes.lines().filter(own).map(|r| format!("route {family} {}", plain(r))));
        }
        let neighbours = host.run("ip neighbour show nud permanent");
        lines.extend(neighbours.lines().map(|n| format!("neighbour {}", n.trim())));
        lines.extend(nft_lines(host));
        for tool in ["iptables-save", "ip6tables-save"] {
            // Absent tools have no rules.
            let Ok(found) = host.command(tool).output() else { continue };
            let rules = String::from_utf8_lossy(&found.stdout).into_owned();
            lines.extend(
                rules
                    .lines()
                    .filter(|r| r.starts_with("-A") || r.starts_with(":CNI"))
                    .map(|r| format!("{tool} {}", r.split(" [").next().unwrap())),
            );
        }
        for root in ["/var/lib/cni", "/run/cni"] {
            file_lines(Path::new(root), &mut lines);
        }
        // What STATUS has found out is nobody's and stays for the boot.
        lines.retain(|line| !line.contains("/run/cni/status"));
        Self(lines)
    }

    /// What is there now and was not there `before`, and (marked with `-`) what is gone.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let new = self.0.difference(&before.0).map(|l| format!("+ {l}"));
        new.chain(before.0.difference(&self.0).map(|l| format!("- {l}"))).collect()
    }

    /// Asserts that nothing changed.
    ///
    /// # Panics
    /// With the differences, one per line.
    pub fn assert_same_as(&self, before: &Self, after_what: &str) {
        let changes = self.since(before);
        assert!(changes.is_empty(), "after {after_what} the host differs:\n{}", changes.join("\n"));
    }

    /// All lines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The lines that contain `part`.
    pub fn lines_with(&self, part: &str) -> Vec<&str> {
        self.lines().filter(|l| l.contains(part)).collect()
    }
}

fn link_line(link: &Value) -> String {
    let flags = link["flags"].as_array().cloned().unwrap_or_default();
    let carrier = ["LOWER_UP", "NO-CARRIER", "M-DOWN"];
    let flags: Vec<_> = flags.iter().filter_map(Value::as_str).filter(|f| !carrier.contains(f)).collect();
    format!(
        "link {} {} mtu {} {} {} master {}",
        link["ifname"],
        link["linkinfo"]["info_kind"],
        link["mtu"],
        flags.join(","),
        link["address"],
        link["master"]
    )
}

fn address_lines(link: &Value) -> Vec<String> {
    let infos = link["addr_info"].as_array().cloned().unwrap_or_default();
    let own = infos.iter().filter(|a| !(a["family"] == "inet6" && a["scope"] == "link"));
    own.map(|a| format!("address {} {}/{} {}", link["ifname"], a["local"], a["prefixlen"], a["scope"]))
        .collect()
}

/// One line per rule, chain, set and element, with the names of where it is.
fn nft_lines(host: &impl Place) -> Vec<String> {
    let ruleset = host.run("nft -n list ruleset");
    let mut path: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for line in ruleset.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if line == "}" {
            path.pop();
            continue;
        }
        let line = without_counters(line);
        lines.push(format!("nft {}", [path.join(" / "), line.clone()].join(" / ")));
        if line.ends_with('{') {
            path.push(line.trim_end_matches('{').trim().to_owned());
        }
    }
    lines
}

/// `counter packets 3 bytes 252` → `counter`.
fn without_counters(line: &str) -> String {
    let mut words = line.split_whitespace().peekable();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        kept.push(word);
        if word == "counter" && words.peek() == Some(&"packets") {
            words.nth(3);
        }
    }
    kept.join(" ")
}

/// Files with their contents; only the name of those that remember history (last address given out, index, lock).
fn file_lines(dir: &Path, lines: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            lines.insert(format!("directory {}", path.display()));
            file_lines(&path, lines);
            continue;
        }
        if entry.file_type().unwrap().is_socket() {
            lines.insert(format!("socket {}", path.display()));
            continue;
        }
        let name = entry.file_name().into_string().unwrap();
        let history = name.parse::<std::net::IpAddr>().is_err() && path.starts_with("/var/lib/cni/networks");
        let content = if history { Vec::new() } else { fs::read(&path).unwrap() };
        lines.insert(format!("file {} {:?}", path.display(), String::from_utf8_lossy(&content)));
    }
}
