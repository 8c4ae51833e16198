//! The reference's rules in the iptables `filter` table, word by word.

use std::net::IpAddr;

use cni_types::Cidr;

use super::policy::{Ingress, Policy};
use cni_filter::iptables::Meaning;

pub(super) const FORWARD: &str = "FORWARD";
pub(super) const ACCEPTS: &str = "CNI-FORWARD";
pub(super) const STAGE_1: &str = "CNI-ISOLATION-STAGE-1";
pub(super) const STAGE_2: &str = "CNI-ISOLATION-STAGE-2";
/// What the comments of all isolation rules start with. Releases of the reference differ in the rest.
const ISOLATION: &str = "CNI firewall plugin rules (ingressPolicy: ";

/// A rule that should be there.
pub(super) struct NeededRule {
    pub(super) chain: &'static str,
    /// At the chain's top rather than its end.
    pub(super) top: bool,
    pub(super) words: Vec<String>,
}

impl NeededRule {
    fn new(chain: &'static str, top: bool, words: &[&str]) -> Self {
        Self { chain, top, words: words.iter().map(|&word| word.to_owned()).collect() }
    }

    /// Whether a rule of the same chain says the same.
    pub(super) fn is(&self, found: &Meaning<'_>) -> bool {
        let wanted = Meaning::of_words(self.words.iter().map(String::as_str));
        let isolates = |rule: &Meaning<'_>| rule.comment().is_some_and(|text| text.starts_with(ISOLATION));
        if isolates(&wanted) && isolates(found) { wanted.does(found) } else { wanted.is(found) }
    }
}

/// The jump from the built-in chain to the accepting one.
fn entry() -> NeededRule {
    NeededRule::new(
        FORWARD,
        true,
        &["-m", "comment", "--comment", "CNI firewall plugin rules", "-j", ACCEPTS],
    )
}

/// The rules that let an address answer and ask.
pub(super) fn accepts(ip: IpAddr) -> [NeededRule; 2] {
    let host = Cidr::host(ip).to_string();
    let state = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
    [
        NeededRule::new(ACCEPTS, false, &[&["-d", &host][..], &state, &["-j", "ACCEPT"]].concat()),
        NeededRule::new(ACCEPTS, false, &["-s", &host, "-j", "ACCEPT"]),
    ]
}

/// The chains the policy needs; without `accept`, something else lets the containers' traffic through.
pub(super) fn chains(policy: &Policy, accept: bool) -> Vec<&str> {
    let mut chains = if accept { vec![ACCEPTS, policy.admin.as_str()] } else { Vec::new() };
    if policy.isolation.is_some() {
        chains.extend([STAGE_1, STAGE_2]);
    }
    chains
}

/// The policy's rules for the addresses of one family, in the order they are to be made.
pub(super) fn rules(policy: &Policy, accept: bool, ips: &[IpAddr]) -> Vec<NeededRule> {
    let overrides = "CNI firewall plugin admin overrides";
    let admin = ["-m", "comment", "--comment", overrides, "-j", policy.admin.as_str()];
    let mut rules = Vec::new();
    if accept {
        rules.extend([entry(), NeededRule::new(ACCEPTS, true, &admin)]);
        rules.extend(ips.iter().flat_map(|&ip| accepts(ip)));
    }
    if let Some(isolation) = &policy.isolation {
        rules.extend(isolating(isolation.ingress, isolation.bridge.as_str()));
    }
    rules
}

/// What leaves one isolating bridge must not enter another: stage 1 knows the first, stage 2 the second.
fn isolating(ingress: Ingress, bridge: &str) -> Vec<NeededRule> {
    let of_all = format!("{ISOLATION}same-bridge|isolated)");
    let policy = if ingress == Ingress::Isolated { "isolated" } else { "same-bridge" };
    let of_one = format!("{ISOLATION}{policy})");
    let rule = |chain, top, words: &[&str], comment: &str| {
        NeededRule::new(chain, top, &[words, &["-m", "comment", "--comment", comment]].concat())
    };
    let mut rules = vec![
        rule(FORWARD, true, &["-j", STAGE_1], &of_all),
        rule(STAGE_1, true, &["-i", bridge, "!", "-o", bridge, "-j", STAGE_2], &of_one),
    ];
    if ingress == Ingress::Isolated {
        rules.push(rule(STAGE_1, true, &["-i", bridge, "-o", bridge, "-j", "DROP"], &of_one));
    }
    rules.extend([
        rule(STAGE_1, false, &["-j", "RETURN"], &of_all),
        rule(STAGE_2, true, &["-o", bridge, "-j", "DROP"], &of_all),
        rule(STAGE_2, false, &["-j", "RETURN"], &of_all),
    ]);
    rules
}
