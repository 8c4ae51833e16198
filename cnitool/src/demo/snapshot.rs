//! What is in the kernel and on disk at one moment, and to whom it belongs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use cni_net::{Rtnl, sysctl};
use cni_types::{Cidr, Doing, Result};

use super::nft::{self, Table};
use super::stage;

/// The directories where plugins and runtimes keep state; both were empty when the demonstration began.
const STATE: [&str; 2] = ["/var/lib/cni", "/run"];
const FORWARDING: [&str; 2] = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];

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

/// Takes stock.
///
/// # Errors
/// When the kernel refuses to say, or a directory cannot be read.
pub(super) fn take(host: &Rtnl) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for link in host.links(None)? {
        for address in host.addresses(link.index)? {
            items.push(Item::Address(address.cidr));
        }
        items.push(Item::Link(link.kind, link.name, link.alias));
    }
    for any in [IpAddr::from([0; 4]), IpAddr::from([0; 16])] {
        items.extend(host.routes(any, None)?.into_iter().map(|route| Item::Route(route.dst)));
    }
    // The kernel makes and removes link-local ones by itself, whenever a carrier comes or goes.
    items.retain(|item| match item {
        Item::Address(cidr) | Item::Route(cidr) => !is_link_local(cidr.ip()),
        _ => true,
    });
    items.extend(
        FORWARDING.into_iter().filter(|name| sysctl::read(name).is_ok_and(|v| v == "1")).map(Item::Sysctl),
    );
    let filter = nft::inventory()?;
    items.extend(filter.tables.into_iter().map(Item::Table));
    items.extend(filter.rules.into_iter().map(Item::Rule));
    items.extend(filter.elements.into_iter().map(Item::Element));
    for dir in STATE {
        walk(Path::new(dir), &mut items)?;
    }
    Ok(items)
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn walk(dir: &Path, items: &mut Vec<Item>) -> Result<()> {
    let doing = || format!("cannot read {}", dir.display());
    for entry in fs::read_dir(dir).doing(doing())? {
        let entry = entry.doing(doing())?;
        let path = entry.path();
        let text = path.display().to_string();
        if text == stage::OWN_DIR || text == stage::NETNS_DIR {
            continue;
        }
        if entry.file_type().doing(doing())?.is_dir() {
            walk(&path, items)?;
            items.push(Item::Dir(text));
        } else {
            let content = fs::read(&path).unwrap_or_default();
            items.push(Item::File(text, content));
        }
    }
    Ok(())
}

/// What is in `after` and was not in `before`.
pub(super) fn added(before: &[Item], after: Vec<Item>) -> Vec<Item> {
    let mut before = before.to_vec();
    let is_new = |item: &Item| match before.iter().position(|known| known == item) {
        Some(known) => {
            before.swap_remove(known);
            false
        }
        None => true,
    };
    after.into_iter().filter(is_new).collect()
}

/// Removes things of the network's own, which no DEL removes: everything that is given.
///
/// # Errors
/// What the kernel or the file system refused.
pub(super) fn remove(host: &Rtnl, items: &[Item]) -> Result<()> {
    for item in items {
        match item {
            Item::Link(_, name, _) => host.remove_link_named_if_present(&cni_types::IfName::new(name)?)?,
            Item::Table(table) => nft::delete(table)?,
            Item::Sysctl(name) => sysctl::write(name, "0")?,
            Item::File(path, _) => fs::remove_file(path).doing(format!("cannot remove {path}"))?,
            // Listed after what is in it.
            Item::Dir(path) => match fs::remove_dir(path) {
                // Something of a container is left in it, and reported.
                Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                removed => removed.doing(format!("cannot remove {path}"))?,
            },
            // These go with their link or their table.
            Item::Address(_) | Item::Route(_) | Item::Rule(_) | Item::Element(_) => {}
        }
    }
    Ok(())
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
