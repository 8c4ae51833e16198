//! Reading and changing the kernel's state with other tools than ours.

use std::process::Command;

use serde_json::Value;

use crate::{Finished, run};

/// Somewhere commands can run: a [`crate::Host`] or a [`crate::Container`].
pub trait Place {
    /// A command in this place's network namespace.
    fn command(&self, program: &str) -> Command;

    /// Runs a command line (words split at white space) to its end.
    fn try_run(&self, line: &str) -> Finished {
        let mut words = line.split_whitespace();
        run(self.command(words.next().unwrap()).args(words), b"")
    }

    /// Runs a command line that must succeed; returns its stdout.
    fn run(&self, line: &str) -> String {
        let done = self.try_run(line);
        assert!(done.status.success(), "{line}: {}, {}", done.status, done.stderr);
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs a shell script that must succeed; returns its stdout.
    fn sh(&self, script: &str) -> String {
        let done = run(self.command("sh").args(["-c", script]), b"");
        assert!(done.status.success(), "{script}: {}, {}", done.status, done.stderr);
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs a command with a text on its stdin; it must succeed.
    fn feed(&self, line: &str, stdin: &str) {
        let mut words = line.split_whitespace();
        let done = run(self.command(words.next().unwrap()).args(words), stdin.as_bytes());
        assert!(done.status.success(), "{line}: {}, {}\n{stdin}", done.status, done.stderr);
    }

    /// A command's JSON; no output at all is an empty list (`ip` prints nothing where it finds nothing).
    fn json(&self, line: &str) -> Value {
        let text = self.run(line);
        let text = if text.trim().is_empty() { "[]" } else { &text };
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{line}: {e}\n{text}"))
    }

    /// `ip -j -d ARGS`, for example `ip("route show table all")`.
    fn ip(&self, args: &str) -> Vec<Value> {
        // ip prints empty objects for entries it filtered out.
        let Value::Array(list) = self.json(&format!("ip -j -d {args}")) else { panic!("ip {args}: no list") };
        list.into_iter().filter(|v| v.as_object().is_some_and(|o| !o.is_empty())).collect()
    }

    /// The link of this name, with details.
    fn find_link(&self, name: &str) -> Option<Value> {
        self.ip("link show").into_iter().find(|link| link["ifname"] == name)
    }

    /// The link of this name, with details.
    ///
    /// # Panics
    /// When there is none.
    fn link(&self, name: &str) -> Value {
        self.find_link(name).unwrap_or_else(|| panic!("no link {name} in {:?}", self.ip("link show")))
    }

    /// All addresses of a link as `address/prefix`, except link-local IPv6.
    fn addresses(&self, name: &str) -> Vec<String> {
        let links = self.ip(&format!("address show dev {name}"));
        let infos = links.iter().flat_map(|link| link["addr_info"].as_array().cloned().unwrap_or_default());
        let infos = infos.filter(|a| !(a["family"] == "inet6" && a["scope"] == "link"));
        infos.map(|a| format!("{}/{}", a["local"].as_str().unwrap(), a["prefixlen"])).collect()
    }

    /// The routes of the main table to `dst` (`default` or a CIDR) of the family (`-4`, `-6`).
    fn routes(&self, family: &str, dst: &str) -> Vec<Value> {
        self.ip(&format!("{family} route show")).into_iter().filter(|r| r["dst"] == dst).collect()
    }

    /// A value under `/proc/sys/net`, trimmed.
    fn sysctl(&self, path: &str) -> String {
        self.run(&format!("cat /proc/sys/net/{path}")).trim().to_owned()
    }

    /// Whether one echo request to `target` is answered; there is no second try.
    fn pings(&self, target: &str) -> bool {
        self.try_run(&format!("ping -n -c 1 -W 2 {target}")).status.success()
    }

    /// The nftables ruleset as objects without `metainfo`, for example all `rule`s.
    fn nft(&self, kind: &str) -> Vec<Value> {
        let ruleset = self.json("nft -j list ruleset");
        let objects = ruleset["nftables"].as_array().unwrap();
        objects.iter().filter_map(|o| o.get(kind)).cloned().collect()
    }
}
