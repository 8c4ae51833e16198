//! What state an attachment is in.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;

use cni_types::{Json, NetworkName};
use nix::sys::statfs::{FsType, statfs};

use super::owner::prefix_of;
use super::{Attachment, LEASED, RESERVED, State};
use crate::cache::Kept;
use crate::conflist::NetworkList;
use crate::kernel::{Link, Namespace, Place, rules};

/// Magic number of namespace files (`NSFS_MAGIC`, `linux/magic.h`).
const NSFS_MAGIC: FsType = FsType(0x6e73_6673);

/// What attachments are measured by.
pub(super) struct Judge<'a> {
    pub(super) host: &'a Namespace,
    pub(super) namespaces: &'a [(Place, Namespace)],
    /// The same by inode.
    pub(super) by_inode: HashMap<u64, &'a Namespace>,
    /// The host's ends of pairs, by whose they are.
    pub(super) ends: HashMap<&'a str, &'a Link>,
    /// What bridges let through their ports, by the port's index.
    pub(super) port_vlans: BTreeMap<u32, Vec<u16>>,
    pub(super) networks: &'a BTreeMap<NetworkName, NetworkList>,
    /// Whether the cache could be listed.
    pub(super) has_cache: bool,
    /// Whether nothing was left out.
    pub(super) is_whole: bool,
    /// The rules of iptables' nat table, asked for when somebody needs them.
    pub(super) nat: OnceCell<Result<Vec<String>, String>>,
}

/// By the owner that its alias names.
pub(super) fn ends(host: &Namespace) -> HashMap<&str, &Link> {
    let ends = host.links.iter().filter(|link| link.kind == "veth");
    ends.filter_map(|link| Some((prefix_of(link.alias.as_ref()?)?, link))).collect()
}

impl Judge<'_> {
    /// Finds the attachment's interface with its VLANs, and says its state.
    pub(super) fn judge(&self, attachment: &mut Attachment) {
        attachment.host_link = self.host_link(attachment).cloned();
        // Out of the way while the attachment is written to.
        let kept = attachment.kept.take();
        let state = match &kept {
            Some(kept) => self.of_kept(attachment, kept),
            None => self.without_file(attachment),
        };
        attachment.kept = kept;
        attachment.vlans = self.vlans(attachment);
        // A file that cannot be used is the first thing to know.
        if attachment.kept.is_some() || attachment.file.is_none() {
            attachment.state = state;
        }
    }

    fn host_link(&self, attachment: &Attachment) -> Option<&Link> {
        let owner = attachment.owner.as_deref()?;
        self.ends.get(owner).copied().or_else(|| {
            let result = &attachment.kept.as_ref()?.result;
            let on_host = result.interfaces.iter().filter(|interface| interface.sandbox.is_empty());
            on_host.filter_map(|interface| self.host.find(&interface.name)).find(|link| link.kind == "veth")
        })
    }

    fn vlans(&self, attachment: &Attachment) -> Vec<u16> {
        if let Some(vlan) = attachment.link.as_ref().and_then(|link| link.vlan) {
            return vec![vlan];
        }
        let of_port = attachment.host_link.as_ref().and_then(|end| self.port_vlans.get(&end.index));
        of_port.filter(|vlans| vlans.as_slice() != [1]).cloned().unwrap_or_default()
    }

    /// The interface of an attachment that no file says the namespace of.
    fn find(&self, attachment: &Attachment) -> Option<&Link> {
        let owner = attachment.owner.as_deref()?;
        let ifname = attachment.id.as_ref().map(|id| id.ifname.as_str());
        let end = attachment.host_link.as_ref();
        let reserved: Vec<IpAddr> = attachment.reserved().collect();
        let mut links = self.namespaces.iter().flat_map(|(_, namespace)| &namespace.links);
        links.find(|link| {
            let is_tagged = link.alias.as_ref().is_some_and(|alias| alias.starts_with(owner));
            let is_end = end.is_some_and(|end| {
                end.other == Some(link.index) && link.other == Some(end.index) && link.leads_elsewhere()
            });
            let has_address = link.addresses.iter().any(|(ip, _)| reserved.contains(ip));
            is_tagged || (ifname.is_none_or(|name| name == link.name) && (is_end || has_address))
        })
    }

    /// Whether the network's attachments have a link on the host, so that the host alone says who lives.
    fn shows_on_host(&self, attachment: &Attachment) -> bool {
        let list = attachment.network.as_ref().and_then(|name| self.networks.get(name));
        let first = list.and_then(|list| list.plugins.first());
        first.is_some_and(|plugin| ["bridge", "ptp"].contains(&plugin.name.as_str()))
    }

    fn without_file(&self, attachment: &mut Attachment) -> State {
        attachment.link = self.find(attachment).cloned();
        let is_attached = attachment.host_link.as_ref().is_some_and(Link::leads_elsewhere);
        let is_seen = self.is_whole || self.shows_on_host(attachment);
        match (is_attached || attachment.link.is_some(), is_seen) {
            _ if !self.has_cache => State::Unknown("the cache cannot be read".into()),
            (true, _) => State::NoCache,
            (false, true) => State::Leaked,
            (false, false) => State::Unknown("no cache, and not every namespace could be looked at".into()),
        }
    }

    fn of_kept(&self, attachment: &mut Attachment, kept: &Kept) -> State {
        let Some(path) = &kept.conf.netns else {
            return State::Unknown("the cache names no namespace".into());
        };
        let inode = match fs::metadata(path) {
            Ok(file) => file.ino(),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return State::NoNamespace;
            }
            Err(e) => return State::Unknown(format!("cannot look at {}: {e}", path.display())),
        };
        let Some(namespace) = self.by_inode.get(&inode) else {
            return match statfs(path).map(|kind| kind.filesystem_type()) {
                Ok(NSFS_MAGIC) => State::Unknown(format!("cannot read {}", path.display())),
                // What is left of a mount point is a plain file.
                Ok(_) => State::NoNamespace,
                Err(e) => State::Unknown(format!("cannot look at {}: {e}", path.display())),
            };
        };
        let ifname = kept.conf.ifname.as_str();
        let Some(link) = namespace.find(ifname) else {
            return match kept.result.interfaces.iter().all(|i| i.sandbox.is_empty()) {
                // A device that is no link of the kernel.
                true => State::Ok,
                false => State::Damaged(format!("no {ifname} in {}", path.display())),
            };
        };
        attachment.link = Some(link.clone());
        let damage = self.damage(attachment, kept, link);
        if damage.is_empty() { State::Ok } else { State::Damaged(damage.join("; ")) }
    }

    /// What is not as ADD left it.
    fn damage(&self, attachment: &Attachment, kept: &Kept, link: &Link) -> Vec<String> {
        let mut damage = Vec::new();
        if !link.is_up {
            damage.push(format!("{} is down", link.name));
        }
        for ip in kept.result.ips_of(&kept.conf.ifname).map(|ip| ip.address.ip()) {
            if !link.addresses.iter().any(|(has, _)| *has == ip) {
                damage.push(format!("{} has lost {ip}", link.name));
            }
            if keeps_books(kept) && !attachment.reserved().any(|reserved| reserved == ip) {
                damage.push(format!("{ip} is not reserved for it"));
            }
        }
        for interface in kept.result.interfaces.iter().filter(|i| i.sandbox.is_empty() && !i.name.is_empty())
        {
            match self.host.find(&interface.name) {
                None => damage.push(format!("{} is gone from the host", interface.name)),
                Some(end) if !end.is_up => damage.push(format!("{} is down", interface.name)),
                Some(end) if end.kind == "veth" && end.master.is_none() && is_bridged(kept) => {
                    damage.push(format!("{} is no port of a bridge", end.name));
                }
                Some(_) => {}
            }
        }
        let end = attachment.host_link.as_ref().filter(|_| kept.limits().ingress_rate > 0);
        if let Some(end) = end.filter(|end| end.qdisc != "tbf") {
            damage.push(format!("{} has no limit", end.name));
        }
        for (part, why) in expected(kept) {
            if !attachment.held.iter().any(|thing| thing.part == part) {
                damage.push(format!("no {part}, {why}"));
            }
        }
        damage.extend(self.unmade_masquerade(attachment, kept));
        damage
    }

    /// What is on record, but neither an element of nftables nor a rule of iptables. Rules name the container.
    fn unmade_masquerade(&self, attachment: &Attachment, kept: &Kept) -> Option<String> {
        let mut things = attachment.held.iter().filter(|thing| thing.part == "masquerade");
        let ip = &things.find(|thing| thing.is_on_record)?.what;
        let has_rules = match self.nat.get_or_init(|| rules("nat")) {
            Ok(rules) => rules.iter().any(|rule| rule.contains(kept.id.container_id.as_str())),
            // The rules that cannot be seen would have it, but for a network that has none.
            Err(_) => !kept
                .list
                .plugins
                .iter()
                .any(|plugin| plugin.object.get_str("ipMasqBackend") == Some("nftables")),
        };
        (!has_rules).then(|| format!("{ip} is on record, but not masqueraded"))
    }
}

fn is_bridged(kept: &Kept) -> bool {
    kept.list.plugins.iter().any(|plugin| plugin.name.as_str() == "bridge")
}

/// Whether the addresses are host-local's.
fn keeps_books(kept: &Kept) -> bool {
    let of_type = |plugin: &crate::conflist::PluginConf| {
        plugin.object.get("ipam").and_then(|ipam| ipam.get_str("type")).map(ToOwned::to_owned)
    };
    kept.list.plugins.iter().filter_map(of_type).any(|name| name == "host-local")
}

/// The parts that the configuration asks for and that hold something then.
fn expected(kept: &Kept) -> Vec<(&'static str, &'static str)> {
    let mut parts = Vec::new();
    for plugin in &kept.list.plugins {
        let is_on = |key: &str| matches!(plugin.object.get(key), Some(Json::Bool(true)));
        match plugin.name.as_str() {
            "bridge" | "ptp" if is_on("ipMasq") && !kept.result.ips.is_empty() => {
                parts.push(("masquerade", "though ipMasq is true"));
            }
            "portmap" if !kept.ports().is_empty() => parts.push(("port mappings", "though ports are mapped")),
            _ => {}
        }
    }
    parts
}

impl Attachment {
    /// What host-local or the dhcp daemon has for it.
    pub(crate) fn reserved(&self) -> impl Iterator<Item = IpAddr> {
        let things = self.held.iter().filter(|thing| [RESERVED, LEASED].contains(&thing.part.as_str()));
        things.filter_map(|thing| thing.what.parse().ok())
    }
}
