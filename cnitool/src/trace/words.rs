//! What a run asked of the kernel, in the words of `ip`, `bridge`, `tc` and `nft`: what can be said again by hand is a
//! command, everything else a comment.

mod links;
mod message;
mod quoted;
mod route;

use super::run::{Asked, Run};
use links::Links;
use message::{Message, bytes};
use quoted::quoted;

/// A line for each thing that was asked.
pub(super) fn of(run: &Run) -> String {
    let links = Links::of(&run.asked, &run.ifname);
    let mut text = String::new();
    if run.asked.iter().any(|asked| asked.inside) {
        text += &format!("    NETNS={}\n", quoted(&run.netns));
    }
    for asked in &run.asked {
        let answer = if asked.answer.is_empty() { "with the others" } else { &asked.answer };
        let said = said(asked, &links);
        let there = if asked.inside { "nsenter --net=\"$NETNS\" " } else { "" };
        text += &match said {
            Some(command) if asked.whom == "iptables" => format!("    {there}{command}\n    # {answer}\n"),
            Some(command) => format!("    {there}{command}  # {answer}\n"),
            None => format!("    # {}: {}: {answer}\n", asked.whom, asked.doing),
        };
    }
    text
}

fn said(asked: &Asked, links: &Links) -> Option<String> {
    let wire = bytes(&asked.said);
    match asked.whom.as_str() {
        "route" => route::words(&Message::read(&wire)?, asked.inside, links),
        "nftables" => {
            let message = Message::read(&wire)?;
            let said = cni_filter::nft::words(message.kind, message.body, &declared)?;
            Some(format!("nft {}", quoted(&said)))
        }
        "sysctl" if asked.inside => Some(format!("sh -c {}", quoted(&asked.said))),
        "sysctl" | "iptables" => Some(asked.said.clone()),
        _ => None,
    }
}

/// How one of the sets that the suite makes is declared.
fn declared(set: &str) -> Option<String> {
    let all =
        [cni_filter::masquerade::declaration, plugin_firewall::declaration, plugin_portmap::declaration];
    all.into_iter().find_map(|declaration| declaration(set))
}
