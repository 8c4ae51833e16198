//! What is in the kernel and on disk at one moment.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use cni_net::tables::TABLE_MAIN;
use cni_net::{Rtnl, sysctl};
use cni_types::{Doing, Result};

use super::item::Item;
use super::{nft, stage};

/// The directories where plugins and runtimes keep state; both were empty when the demonstration began.
const STATE: [&str; 2] = ["/var/lib/cni", "/run"];
const FORWARDING: [&str; 2] = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];

/// Takes stock.
///
/// # Errors
/// When the kernel refuses to say, or a directory cannot be read.
pub(super) fn take(host: &Rtnl) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for link in host.links()? {
        for address in host.addresses(link.index)? {
            items.push(Item::Address(address.cidr));
        }
        items.push(Item::Link(link.kind, link.name, link.alias));
    }
    let routes = host.routes(Some(TABLE_MAIN))?.into_iter().filter(|route| route.is_unicast);
    items.extend(routes.map(|route| Item::Route(route.dst)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_counts_also_among_equals() {
        let rule = || Item::Rule(vec![1]);
        let before = [rule(), Item::Dir("/a".into())];
        assert_eq!(
            added(&before, vec![rule(), rule(), Item::Dir("/b".into())]),
            [rule(), Item::Dir("/b".into())]
        );
        assert_eq!(added(&before, vec![rule()]), []);
    }
}
