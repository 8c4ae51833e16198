//! The things that can be left behind, and to whom they belong.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cni_types::Cidr;

use super::nft::Table;

/// One thing that can be left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A link of the host: kind, name, alias.
    Link(String, String, String),
    /// An address on a link of the host.
    Address(Cidr),
    /// A route of the host.
    Route(Cidr),
    /// A sysctl that is on.
    Sysctl(&'static str),
    /// A table of nftables.
    Table(Table),
    /// A rule of nftables, as the kernel encodes it.
    Rule(Vec<u8>),
    /// An element of a set or map of nftables, as the kernel encodes it.
    Element(Vec<u8>),
    /// A directory.
    Dir(String),
    /// A file: path and content.
    File(String, Vec<u8>),
}

/// By what a container's things can be told.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// The container id, and the hash that stands for the attachment in comments and names.
    pub(super) marks: Vec<String>,
    /// Its own links on the host.
    pub(super) links: Vec<String>,
    /// Its addresses.
    pub(super) ips: Vec<IpAddr>,
}

impl Owner {
    /// Whether the item is this container's, and not the network's.
    pub(super) fn owns(&self, item: &Item) -> bool {
        match item {
            Item::Link(_, name, alias) => self.links.contains(name) || self.is_marked(alias.as_bytes()),
            Item::Address(cidr) | Item::Route(cidr) => self.ips.contains(&cidr.ip()),
            Item::Rule(bytes) | Item::Element(bytes) => {
                self.is_marked(bytes)
                    || self.ips.iter().any(|ip| match ip {
                        IpAddr::V4(ip) => contains(bytes, &ip.octets()),
                        IpAddr::V6(ip) => contains(bytes, &ip.octets()),
                    })
            }
            Item::File(path, content) => {
                let name = path.rsplit('/').next().unwrap_or_default();
                self.is_marked(content)
                    || self.is_marked(name.as_bytes())
                    || self.ips.iter().any(|ip| ip.to_string() == name)
            }
            Item::Sysctl(_) | Item::Table(_) | Item::Dir(_) => false,
        }
    }

    fn is_marked(&self, bytes: &[u8]) -> bool {
        self.marks.iter().any(|mark| contains(bytes, mark.as_bytes()))
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Names the items: links, tables, sysctls and files one by one, the rest by number.
pub(super) fn describe(items: &[Item]) -> String {
    let named = |name: fn(&Item) -> Option<String>| items.iter().filter_map(name);
    let counted = |wanted: fn(&Item) -> bool, one: &str, many: &str| {
        let count = items.iter().filter(|item| wanted(item)).count();
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(named(|item| match item {
        Item::Link(kind, name, _) => Some(format!("{kind} {name}").trim_start().to_owned()),
        _ => None,
    }));
    parts.extend(counted(|i| matches!(i, Item::Address(_)), "address", "addresses"));
    parts.extend(counted(|i| matches!(i, Item::Route(_)), "route", "routes"));
    parts.extend(named(|item| match item {
        Item::Table(table) => Some(format!("nftables table {}", table.text())),
        _ => None,
    }));
    parts.extend(counted(|i| matches!(i, Item::Rule(_)), "rule", "rules"));
    parts.extend(counted(|i| matches!(i, Item::Element(_)), "set element", "set elements"));
    parts.extend(named(|item| match item {
        Item::Sysctl(name) => Some(format!("net.{}", name.replace('/', "."))),
        _ => None,
    }));
    parts.extend(files(items));
    parts.join(", ")
}

/// The files, by directory.
fn files(items: &[Item]) -> Vec<String> {
    let mut dirs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in items {
        if let Item::File(path, _) = item {
            let (dir, name) = path.rsplit_once('/').unwrap_or_default();
            dirs.entry(dir).or_default().push(name);
        }
    }
    for names in dirs.values_mut() {
        names.sort_unstable();
    }
    dirs.into_iter().map(|(dir, names)| format!("{} in {dir}", names.join(" "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            marks: vec!["demo-web".into(), "0123-4567".into()],
            links: vec!["veth1".into()],
            ips: vec!["10.22.3.2".parse().unwrap(), "fd00:22:3::2".parse().unwrap()],
        }
    }

    fn file(path: &str, content: &str) -> Item {
        Item::File(path.into(), content.into())
    }

    #[test]
    fn a_containers_things_are_told_from_the_networks() {
        let cidr = |text: &str| text.parse::<Cidr>().unwrap();
        let link = |name: &str, alias: &str| Item::Link("veth".into(), name.into(), alias.into());
        let ipv6_bytes: Vec<u8> =
            [&[1, 2][..], &[0xfd, 0, 0, 0x22, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]].concat();
        for own in [
            link("veth1", ""),
            link("veth9", "0123-4567, net: n"),
            Item::Route(cidr("10.22.3.2/32")),
            Item::Rule(vec![7, 10, 22, 3, 2, 7]),
            Item::Rule(b"xx id: demo-web".to_vec()),
            Item::Element(ipv6_bytes),
            file("/var/lib/cni/networks/n/10.22.3.2", ""),
            file("/var/lib/cni/networks/n/fd00:22:3::2", ""),
            file("/var/lib/cni/networks/n/10.22.3.9", "demo-web\r\neth0"),
            file("/var/lib/cni/results/n-demo-web-eth0", ""),
        ] {
            assert!(owner().owns(&own), "{own:?}");
        }
        for shared in [
            link("veth2", ""),
            Item::Address(cidr("10.22.3.1/24")),
            Item::Rule(vec![10, 22, 3, 1]),
            Item::Sysctl("ipv4/ip_forward"),
            file("/var/lib/cni/networks/n/last_reserved_ip.0", "10.22.3.2"),
        ] {
            assert!(!owner().owns(&shared), "{shared:?}");
        }
    }

    #[test]
    fn a_description_names_or_counts_everything() {
        let table = Table { family: 1, name: "t".into() };
        let link = |kind: &str, name: &str| Item::Link(kind.into(), name.into(), String::new());
        let items = [
            link("bridge", "b"),
            link("", "d"),
            Item::Rule(vec![1]),
            Item::Table(table),
            Item::Element(vec![1]),
            Item::Element(vec![2]),
            Item::Sysctl("ipv4/ip_forward"),
            file("/d/b", ""),
            Item::Dir("/d".into()),
            file("/d/a", ""),
        ];
        assert_eq!(
            describe(&items),
            "bridge b, d, nftables table inet t, 1 rule, 2 set elements, net.ipv4.ip_forward, a b in /d"
        );
    }
}
