//! The rules of many pods out of those of one: what a plugin would make by thousands of calls, in one.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::place::sh;

/// The address of the n-th other pod.
pub(super) fn ip(n: usize) -> String {
    format!("10.87.{}.{}", n / 250, n % 250 + 1)
}

/// Repeats the iptables rules of the pod with this address `count` times, as those of other pods: half of them before
/// it, half of them behind.
pub(super) fn rules(count: usize, pod: &str) {
    let saved = Command::new("iptables-save").output().unwrap();
    let saved = String::from_utf8(saved.stdout).unwrap();
    let mut text = String::new();
    for line in saved.lines().filter(|line| !line.starts_with('#')) {
        let chain = line.split_whitespace().nth(1).unwrap_or_default();
        match line.as_bytes().first() {
            Some(b'*') => writeln!(text, "{line}").unwrap(),
            Some(b'C') => writeln!(text, "{line}").unwrap(),
            Some(b':') if is_of_a_pod(line.split(' ').next().unwrap()) => {
                let name = &line.split(' ').next().unwrap()[1..];
                (0..count).for_each(|n| writeln!(text, ":{} - [0:0]", other(name, n)).unwrap());
            }
            Some(b'-') if line.contains(pod) || line.split(' ').any(is_of_a_pod) => {
                for n in 0..count {
                    let line = words(line, pod, n);
                    // In a chain that is shared, the first half goes before all.
                    let line = match !is_of_a_pod(chain) && n < count / 2 {
                        true => line.replacen("-A", "-I", 1),
                        false => line,
                    };
                    writeln!(text, "{line}").unwrap();
                }
            }
            _ => {}
        }
    }
    fs::write("/run/multiplied", text).unwrap();
    sh("iptables-restore --noflush /run/multiplied");
}

/// A chain of one pod ends in a hash.
fn is_of_a_pod(chain: &str) -> bool {
    let hash = chain.rsplit('-').next().unwrap();
    chain.trim_start_matches(':').starts_with("CNI-")
        && hash.len() > 12
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The chain of the n-th other pod.
fn other(chain: &str, n: usize) -> String {
    format!("{}{n:06x}", &chain[..chain.len() - 6])
}

/// The rule of the n-th other pod: its address, its host port, its chains.
fn words(line: &str, pod: &str, n: usize) -> String {
    let word = |word: &str| match word {
        "59999" => (10_000 + n).to_string(),
        _ if is_of_a_pod(word) => other(word, n),
        _ => word.replace(pod, &ip(n)),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
