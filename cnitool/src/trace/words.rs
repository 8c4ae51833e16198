//! What a run asked of the kernel, in the words of `ip`, `bridge`, `tc` and `nft`: what can be said again by hand is a
//! command, everything else a comment.

mod route;

use std::collections::HashMap;

use cni_netlink::attr;

use super::run::{Asked, Run};

/// `RTM_GETLINK`
const GETLINK: u16 = 18;
/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// A message: its type, its flags, and what is behind the netlink header.
struct Message<'a> {
    kind: u16,
    flags: u16,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(wire: &'a [u8]) -> Option<Self> {
        let body = wire.get(HEADER..)?;
        Some(Self { kind: attr::host16(&wire[4..])?, flags: attr::host16(&wire[6..])?, body })
    }
}

/// The names of links by their numbers, in the host's namespace or the container's.
#[derive(Default)]
struct Links {
    names: HashMap<(bool, u32), String>,
    /// What a link in the container is that the run never asked the name of: the attachment's own.
    ifname: String,
}

impl Links {
    /// As far as the run asked for them.
    fn of(asked: &[Asked], ifname: &str) -> Self {
        let mut links = Self { ifname: ifname.to_owned(), ..Self::default() };
        for asked in asked.iter().filter(|asked| asked.whom == "route") {
            let (wire, object) = (bytes(&asked.said), bytes(&asked.object));
            let is_link = Message::read(&wire).is_some_and(|message| message.kind == GETLINK);
            let (Some(index), Some(attrs)) = (object.get(4..).and_then(attr::host32), object.get(16..))
            else {
                continue;
            };
            if let Some(name) = attr::find(attrs, libc::IFLA_IFNAME).and_then(attr::text).filter(|_| is_link)
            {
                links.names.insert((asked.inside, index), name.to_owned());
            }
        }
        links
    }

    fn name(&self, inside: bool, index: u32) -> String {
        let known = self.names.get(&(inside, index)).cloned();
        known.unwrap_or_else(|| if inside { self.ifname.clone() } else { format!("if{index}") })
    }
}

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

/// Of hexadecimal digits; empty for anything else.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<_>>().unwrap_or_default()
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
