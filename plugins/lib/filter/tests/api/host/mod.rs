//! A host of its own for each test: a fresh network namespace for the test's thread, and tools to read it with.

use std::process::{Command, Stdio};

use cni_filter::Filter;
use cni_types::{AttachmentId, Cidr, ContainerId, IfName, NetworkName};
use serde_json::Value;

pub(crate) fn attachment(network: &str, container: &str, ifname: &str) -> AttachmentId {
    AttachmentId {
        network: NetworkName::new(network).unwrap(),
        container_id: ContainerId::new(container).unwrap(),
        ifname: IfName::new(ifname).unwrap(),
    }
}

pub(crate) fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

/// Whether the tools are there and this is root; else says why not, and fails if `CNI_TEST_STRICT=1`.
fn able(tools: &[&str]) -> bool {
    // SAFETY: takes no arguments and cannot fail.
    let mut reason = (unsafe { libc::geteuid() } != 0).then(|| "not root".to_owned());
    for tool in tools {
        if !["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
            .iter()
            .any(|dir| std::fs::exists(format!("{dir}/{tool}")).unwrap())
        {
            reason = Some(format!("no {tool} on this host"));
        }
    }
    let Some(reason) = reason else { return true };
    assert!(std::env::var_os("CNI_TEST_STRICT").is_none_or(|v| v != "1"), "cannot run: {reason}");
    eprintln!("skipped: {reason}");
    false
}

/// Moves this thread, and what it starts, to a fresh network namespace with a `/run` of its own. False if the test
/// cannot run here.
#[must_use]
pub(crate) fn enter(tools: &[&str]) -> bool {
    able(tools) && {
        unshare(libc::CLONE_NEWNET);
        own_mounts();
        run("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
        run("ip", &["link", "set", "lo", "up"]);
        true
    }
}

fn unshare(flags: libc::c_int) {
    // SAFETY: no pointers; changes this thread only.
    let result = unsafe { libc::unshare(flags) };
    assert_eq!(result, 0, "unshare: {}", std::io::Error::last_os_error());
}

/// Gives this thread mounts of its own, to change what the host has installed.
pub(crate) fn own_mounts() {
    unshare(libc::CLONE_NEWNS);
    run("mount", &["--make-rprivate", "/"]);
}

/// Makes iptables-legacy the host's iptables, as `update-alternatives` would.
pub(crate) fn use_legacy_iptables() {
    own_mounts();
    run("mount", &["-t", "tmpfs", "tmpfs", "/etc/alternatives"]);
    for tool in ["iptables", "ip6tables"] {
        for (verb, file) in [("", "legacy"), ("-restore", "legacy-restore"), ("-save", "legacy-save")] {
            let link = format!("/etc/alternatives/{tool}{verb}");
            std::os::unix::fs::symlink(format!("/usr/sbin/{tool}-{file}"), link).unwrap();
        }
    }
}

/// Runs a tool that must succeed; gives what it prints.
pub(crate) fn run(tool: &str, args: &[&str]) -> String {
    let output = Command::new(tool).args(args).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Feeds a text to a tool that must succeed.
pub(crate) fn feed(tool: &str, args: &[&str], input: &str) {
    use std::io::Write;
    let mut child = Command::new(tool).args(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{tool} {args:?} refused:\n{input}");
}

/// Carries out nftables commands.
pub(crate) fn nft(commands: &str) {
    feed("nft", &["-f", "-"], commands);
}

/// The whole nftables ruleset as text, without counters.
pub(crate) fn ruleset() -> String {
    run("nft", &["-s", "list", "ruleset"])
}

/// The objects of one kind in the ruleset, such as "rule".
pub(crate) fn objects(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(&run("nft", &["-j", "list", "ruleset"])).unwrap();
    all["nftables"].as_array().unwrap().iter().filter_map(|object| object.get(kind).cloned()).collect()
}

/// The addresses that have an element in our table, with their owners, sorted.
pub(crate) fn elements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for set in objects("set").iter().filter(|set| set["table"] == "cni_masquerade") {
        for element in set.get("elem").and_then(Value::as_array).into_iter().flatten() {
            let key = &element["elem"]["val"]["concat"];
            let text = |i: usize| key[i].as_str().unwrap().to_owned();
            found.push((
                format!("{} {}", text(0), text(1)),
                element["elem"]["comment"].as_str().unwrap().to_owned(),
            ));
        }
    }
    found.sort();
    found
}

/// The rules of the nat table as `iptables-save` or `ip6tables-save` writes them, without counters.
pub(crate) fn saved(tool: &str) -> Vec<String> {
    let text = run(tool, &["-t", "nat"]);
    text.lines()
        .filter(|line| line.starts_with("-A") || line.starts_with(":CNI"))
        .map(str::to_owned)
        .collect()
}

/// What one call sends and receives over the filter's socket.
pub(crate) fn traffic(filter: &Filter, act: impl FnOnce()) -> (u32, usize) {
    let before = filter.nftables().unwrap().traffic();
    act();
    let after = filter.nftables().unwrap().traffic();
    (after.0 - before.0, after.1 - before.1)
}

/// What `nft` decodes from the kernel, expression by expression, without handles.
fn decoded() -> Vec<String> {
    let text = run("nft", &["--debug=netlink", "list", "ruleset"]);
    let end = text.find("\ntable ").unwrap_or(text.len());
    let mut lines: Vec<String> = text[..end]
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned())
        .collect();
    lines.sort();
    lines
}

/// The ruleset is what `nft` itself would make from its text: same text, same registers, bytes and user data.
pub(crate) fn assert_nft_would_make_the_same() {
    let (text, ours) = (ruleset(), decoded());
    nft("flush ruleset");
    nft(&text);
    assert_eq!(ruleset(), text);
    assert_eq!(decoded(), ours, "{text}");
}
