//! A device as it was on the host, and how it is told from others wherever it is now and whatever it is called there.

use cni_net::{Link, Shape};
use cni_types::{Json, Mac};
use serde::Deserialize;

use crate::sysfs;

/// What DEL and GC need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Device {
    /// Its name on the host.
    pub(crate) name: String,
    alias: String,
    index: u32,
    /// The kernel's word for it; hardware has none.
    pub(crate) kind: String,
    mac: Option<Mac>,
    permanent_mac: Option<Mac>,
    /// Bytes.
    mtu: Option<u32>,
    /// `IFF_*`
    flags: Option<u32>,
    parent: String,
    parent_bus: String,
    /// The path of the namespace it was given to.
    pub(crate) netns: String,
}

impl Device {
    /// The device as it is on the host now, to be given to the namespace `netns`.
    pub(crate) fn of(link: &Link, netns: String) -> Self {
        Self {
            name: link.name.clone(),
            alias: link.alias.clone(),
            index: link.index,
            kind: link.kind.clone(),
            mac: link.mac,
            permanent_mac: link.permanent_mac,
            mtu: Some(link.mtu),
            flags: Some(link.flags),
            parent: link.parent.clone(),
            parent_bus: link.parent_bus.clone(),
            netns,
        }
    }

    /// What the reference left of a device it moved: its name on the host, as the link's alias. The rest stays as it is.
    pub(crate) fn of_the_reference(link: &Link) -> Self {
        let name = link.alias.clone();
        Self {
            name,
            alias: String::new(),
            mac: None,
            mtu: None,
            flags: None,
            ..Self::of(link, String::new())
        }
    }

    /// The members of the record.
    pub(crate) fn members(&self) -> Vec<(String, Json)> {
        let text = |text: &str| Some(Json::String(text.to_owned())).filter(|_| !text.is_empty());
        let mac = |mac: Option<Mac>| mac.map(|mac| Json::String(mac.to_string()));
        let number = |number: Option<u32>| number.map(|n| Json::Number(n.into()));
        let members = [
            ("name", text(&self.name)),
            ("alias", text(&self.alias)),
            ("index", number(Some(self.index))),
            ("kind", text(&self.kind)),
            ("mac", mac(self.mac)),
            ("permanentMac", mac(self.permanent_mac)),
            ("mtu", number(self.mtu)),
            ("flags", number(self.flags)),
            ("parent", text(&self.parent)),
            ("parentBus", text(&self.parent_bus)),
            ("netns", text(&self.netns)),
        ];
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// Which of a namespace's links it is. Kind and parent device cannot be changed. Of those alike, the permanent address
    /// tells; failing that the alias ADD gave it, its name on the host; failing that, for one that was never moved or whose
    /// alias is gone, index and address.
    pub(crate) fn find<'l>(&self, links: &'l [Link]) -> Option<&'l Link> {
        let alike = || links.iter().filter(|link| link.kind == self.kind && link.parent == self.parent);
        let is_permanent =
            |link: &&Link| link.permanent_mac.is_some() && link.permanent_mac == self.permanent_mac;
        let is_marked = |link: &&Link| link.alias == self.name;
        let is_numbered = |link: &&Link| link.index == self.index && link.mac == self.mac;
        alike().find(is_permanent).or_else(|| alike().find(is_marked)).or_else(|| alike().find(is_numbered))
    }

    /// Whether it is this link.
    pub(crate) fn is(&self, link: &Link) -> bool {
        self.find(std::slice::from_ref(link)).is_some()
    }

    /// Whether `link`, on the host, needs nothing: the administrator's since, or never moved.
    pub(crate) fn is_back(&self, link: &Link) -> bool {
        link.name == self.name && link.alias == self.alias && link.is_up()
    }

    /// What it is to be like on the host again. Under another name it keeps the alias that says which it is.
    pub(crate) fn shape<'a>(&'a self, name: &'a str) -> Shape<'a> {
        let alias = if name == self.name { &self.alias } else { &self.name };
        Shape { name, alias, mac: self.mac, mtu: self.mtu, flags: self.flags }
    }

    /// Whether the kernel returns it to the host when its namespace dies; it destroys others along with it.
    pub(crate) fn outlives_its_namespace(&self) -> bool {
        sysfs::is_on_bus(&self.parent_bus, &self.parent)
    }

    /// Whether it is what has this address on the host.
    pub(crate) fn has_mac(&self, mac: Mac) -> bool {
        self.mac == Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(index: u32, name: &str, permanent: u8) -> Link {
        let mac = Some(Mac([2, 0, 0, 0, 0, permanent]));
        let (parent, parent_bus) = ("0000:3b:00.0".to_owned(), "pci".to_owned());
        Link { index, name: name.to_owned(), mac, permanent_mac: mac, parent, parent_bus, ..Link::default() }
    }

    #[test]
    fn ports_of_one_card_are_told_apart() {
        let device = Device::of(&port(4, "ens5", 5), String::new());
        let changed = Link { name: "dev4".to_owned(), mac: None, index: 9, ..port(4, "", 5) };
        let sibling = port(4, "ens6", 6);
        assert!(!device.is(&sibling), "not by the card they share");
        assert_eq!(device.find(&[sibling.clone(), changed.clone()]), Some(&changed));
        let other_card = Link { parent: "0000:3b:00.1".to_owned(), alias: "ens5".to_owned(), ..changed };
        assert_eq!(device.find(&[sibling, other_card]), None, "an alias is easily forged, a parent is not");
    }

    #[test]
    fn a_virtual_link_is_known_by_its_alias_then_by_index_and_address() {
        let link = Link {
            index: 4,
            name: "veth5".to_owned(),
            kind: "veth".to_owned(),
            mac: Some(Mac([2; 6])),
            ..Link::default()
        };
        let device = Device::of(&link, String::new());
        let marked =
            Link { index: 9, name: "eth0".to_owned(), alias: "veth5".to_owned(), mac: None, ..link.clone() };
        assert_eq!(device.find(&[link.clone(), marked.clone()]), Some(&marked));
        assert!(device.is(&link));
        assert!(!device.is(&Link { index: 5, ..link.clone() }));
        assert!(!device.is(&Link { mac: None, ..link }));
        assert!(!device.is(&Link { kind: "macvlan".to_owned(), ..marked }));
    }

    #[test]
    fn the_record_holds_all_of_it() {
        let alias = "uplink".to_owned();
        let device = Device::of(
            &Link { alias, mtu: 9000, flags: 0x1003, ..port(4, "ens5", 5) },
            "/run/netns/a".to_owned(),
        );
        let json = Json::Object(device.members());
        assert_eq!(Json::parse(json.pretty().as_bytes()).unwrap().decode::<Device>().unwrap(), device);
    }
}
