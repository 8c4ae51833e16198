//! The way from the world to each container.

use cni_types::Json;

use super::item::{Item, Kind};
use crate::attachments::{Attachment, State, Survey};
use crate::kernel::{Link, default_links};

/// What the ways are read from.
pub(super) struct Paths<'a> {
    survey: &'a Survey,
    /// Where packets leave by that no bridge takes there.
    uplinks: Vec<u32>,
}

impl<'a> Paths<'a> {
    pub(super) fn of(survey: &'a mut Survey) -> Self {
        let uplinks = default_links().unwrap_or_else(|e| {
            survey.missing.push(format!("the routes: {e}"));
            Vec::new()
        });
        Self { survey, uplinks }
    }

    pub(super) fn tree(&self) -> Vec<Item> {
        let mut roots = Vec::new();
        for attachment in &self.survey.attachments {
            Item::hang(&mut roots, self.of_attachment(attachment));
        }
        roots
    }

    fn of_attachment(&self, attachment: &Attachment) -> Vec<Item> {
        let (mut path, link) = match self.of_bridge(attachment) {
            Some(above) => (above, self.host_end(attachment)),
            None => self.without_bridge(attachment),
        };
        path.extend(link);
        path.push(self.container(attachment));
        path
    }

    /// The bridge that the host link is a port of, or that the configuration names, with what it leads to.
    fn of_bridge(&self, attachment: &Attachment) -> Option<Vec<Item>> {
        let host = &self.survey.host;
        let port = attachment.host_link.as_ref();
        let bridge = port.and_then(|port| host.at(port.master?)).filter(|link| link.kind == "bridge");
        let named = self
            .value(attachment, "bridge", "bridge")
            .or_else(|| self.has(attachment, "bridge").then(|| "cni0".to_owned()));
        let Some(bridge) = bridge.or_else(|| host.find(named.as_ref()?)) else {
            let mut gone = Item::new(Kind::Bridge, named?);
            gone.trouble = Some("there is no such bridge".into());
            return Some(vec![gone]);
        };
        let mut path = match self.physical_port(bridge) {
            Some(port) => self.up(port),
            None if bridge.given_addresses().next().is_some() => self.default_uplink(),
            None => Vec::new(),
        };
        let mut item = self.of_link(Kind::Bridge, bridge);
        item.notes.extend(bridge.filters_vlans.then(|| "filters VLANs".to_owned()));
        item.notes.extend(self.network_note(attachment));
        path.push(item);
        Some(path)
    }

    /// A port that is no container's.
    fn physical_port(&self, bridge: &Link) -> Option<&Link> {
        let mut ports = self.survey.host.links.iter().filter(|link| link.master == Some(bridge.index));
        ports.find(|port| !["veth", "tun", "ifb", "dummy"].contains(&port.kind.as_str()))
    }

    fn without_bridge(&self, attachment: &Attachment) -> (Vec<Item>, Option<Item>) {
        let inside = attachment.link.as_ref();
        let of_kind = inside.filter(|link| ["macvlan", "ipvlan", "vlan"].contains(&link.kind.as_str()));
        if let Some(link) = of_kind {
            let mut item = Item::new(Kind::Link, format!("{} {}", link.kind, link.name));
            item.notes.extend(attachment.vlan_ranges().map(|ranges| format!("VLAN {ranges}")));
            return (self.of_master(attachment, link), Some(item));
        }
        if attachment.host_link.is_some() || self.has(attachment, "ptp") {
            let mut path = self.default_uplink();
            let name = attachment.network.as_ref().map_or("?", |name| name.as_str());
            let mut item = Item::new(Kind::Routed, format!("network {name}"));
            item.notes.push("routed, a pair each".into());
            item.notes.extend(self.masquerade(attachment));
            path.push(item);
            return (path, self.host_end(attachment));
        }
        let network = attachment.network.as_ref().map(|name| format!("network {name}"));
        let name = network.unwrap_or_else(|| "no network known".into());
        (vec![Item::new(Kind::Routed, name)], None)
    }

    /// The host's link that the container's is on; of one that is on another of the container, that of the
    /// configuration.
    fn of_master(&self, attachment: &Attachment, link: &Link) -> Vec<Item> {
        let host = &self.survey.host;
        let on = link.other.filter(|_| link.leads_elsewhere()).and_then(|index| host.at(index));
        match on {
            Some(master) => {
                let mut path = self.up(master);
                if let Some(last) = path.last_mut() {
                    last.notes.extend(self.network_note(attachment));
                }
                path
            }
            None => {
                let name = self.value(attachment, &link.kind, "master");
                vec![Item::new(Kind::Master, name.unwrap_or_else(|| "a link of the container".into()))]
            }
        }
    }

    /// The link and what it is on, root first.
    fn up(&self, link: &Link) -> Vec<Item> {
        let mut path = Vec::new();
        let mut next = Some(link);
        // A loop cannot be made; a list that was read while it changed may show one.
        while let Some(link) = next.filter(|_| path.len() < 8) {
            let below = (link.kind == "vlan" && !link.leads_elsewhere())
                .then(|| self.survey.host.at(link.other?))
                .flatten();
            let kind = match (link.kind.as_str(), below.is_some()) {
                ("vlan", true) => Kind::Vlan,
                _ => Kind::Uplink,
            };
            let mut item = self.of_link(kind, link);
            item.notes.extend(link.vlan.map(|vlan| format!("VLAN {vlan}")));
            path.push(item);
            next = below;
        }
        path.reverse();
        path
    }

    fn default_uplink(&self) -> Vec<Item> {
        let first = self.uplinks.first().and_then(|index| self.survey.host.at(*index));
        first.map(|link| self.up(link)).unwrap_or_default()
    }

    fn host_end(&self, attachment: &Attachment) -> Option<Item> {
        let end = attachment.host_link.as_ref()?;
        let mut item = self.of_link(Kind::Link, end);
        item.notes.clear();
        item.notes.extend(attachment.vlan_ranges().map(|ranges| format!("VLAN {ranges}")));
        let limits = attachment.kept.as_ref().map(|kept| kept.limits().to_string()).unwrap_or_default();
        item.notes.extend((!limits.is_empty()).then(|| format!("limits: {limits}")));
        Some(item)
    }

    fn of_link(&self, kind: Kind, link: &Link) -> Item {
        let mut item = Item::new(kind, link.name.clone());
        item.notes.extend(link.given_addresses().map(|(ip, prefix)| format!("{ip}/{prefix}")));
        if !link.is_up {
            item.trouble = Some("down".into());
        } else if !link.has_carrier && kind == Kind::Uplink {
            item.trouble = Some("no carrier".into());
        }
        item
    }

    fn container(&self, attachment: &Attachment) -> Item {
        let mut item = Item::new(Kind::Container, attachment.short_container());
        item.network = attachment.network.as_ref().map(ToString::to_string);
        let ifname = attachment.id.as_ref().map_or("?", |id| id.ifname.as_str());
        let network = item.network.as_deref().unwrap_or("no network known");
        item.notes.push(format!("{ifname} in {network}"));
        item.notes.extend(attachment.addresses());
        if let Some(kept) = &attachment.kept {
            item.notes.extend(kept.ports().iter().map(|port| format!("port {port}")));
        }
        item.trouble = (attachment.state != State::Ok).then(|| attachment.state.to_string());
        item
    }

    fn network_note(&self, attachment: &Attachment) -> Option<String> {
        let name = attachment.network.as_ref()?;
        let masquerade = self.masquerade(attachment).map(|text| format!(", {text}")).unwrap_or_default();
        Some(format!("network {name}{masquerade}"))
    }

    fn masquerade(&self, attachment: &Attachment) -> Option<String> {
        let list = self.survey.networks.get(attachment.network.as_ref()?)?;
        let is_on = |plugin: &crate::conflist::PluginConf| {
            matches!(plugin.object.get("ipMasq"), Some(Json::Bool(true)))
        };
        list.plugins.iter().any(is_on).then(|| "masquerade".to_owned())
    }

    fn has(&self, attachment: &Attachment, plugin: &str) -> bool {
        let list = attachment.network.as_ref().and_then(|name| self.survey.networks.get(name));
        list.is_some_and(|list| list.plugins.iter().any(|conf| conf.name.as_str() == plugin))
    }

    /// A key of the network's plugin.
    fn value(&self, attachment: &Attachment, plugin: &str, key: &str) -> Option<String> {
        let list = self.survey.networks.get(attachment.network.as_ref()?)?;
        let plugin = list.plugins.iter().find(|conf| conf.name.as_str() == plugin)?;
        plugin.object.get_str(key).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }
}
