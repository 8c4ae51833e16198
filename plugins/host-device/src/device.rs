//! A device as it was on the host, and how it is told from others wherever it is now and whatever it is called there.

use cni_net::{Link, Shape};
use cni_types::{Json, Mac, fields};

use crate::sysfs;

/// What DEL and GC need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// Its name on the host.
    pub(crate) name: String,
    alternative_names: Vec<String>,
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
    /// What the kernel knows that namespace by, whatever its path (since Linux 5.14).
    netns_cookie: Option<u64>,
}

fields!(Device {
    "name" name, "alternativeNames" alternative_names, "alias" alias, "index" index, "kind" kind, "mac" mac,
    "permanentMac" permanent_mac, "mtu" mtu, "flags" flags, "parent" parent, "parentBus" parent_bus, "netns" netns,
    "netnsCookie" netns_cookie,
});

impl Device {
    /// The device as it is on the host now, to be given to the namespace at the path `netns` with this cookie.
    pub(crate) fn of(link: &Link, netns: String, netns_cookie: Option<u64>) -> Self {
        Self {
            name: link.name.clone(),
            alternative_names: link.alternative_names.clone(),
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
            netns_cookie,
        }
    }

    /// What the reference left of a device it moved: its name on the host, as the link's alias. The rest stays as it
    /// is.
    pub(crate) fn of_the_reference(link: &Link) -> Self {
        let name = link.alias.clone();
        Self {
            name,
            alias: String::new(),
            mac: None,
            mtu: None,
            flags: None,
            ..Self::of(link, String::new(), None)
        }
    }

    /// The members of the record.
    pub(crate) fn members(&self) -> Vec<(String, Json)> {
        let text = |text: &str| Some(Json::String(text.to_owned())).filter(|_| !text.is_empty());
        let names = |names: &[String]| {
            let list = names.iter().cloned().map(Json::String).collect();
            Some(Json::Array(list)).filter(|_| !names.is_empty())
        };
        let mac = |mac: Option<Mac>| mac.map(|mac| Json::String(mac.to_string()));
        let number = |number: Option<u32>| number.map(|n| Json::Number(n.into()));
        let members = [
            ("name", text(&self.name)),
            ("alternativeNames", names(&self.alternative_names)),
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
            ("netnsCookie", self.netns_cookie.map(|cookie| Json::Number(cookie.into()))),
        ];
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// Which of a container's links it is. Kind and parent device cannot be changed. Hardware is known by its permanent
    /// address alone. Failing that the alias tells that ADD gave it, its name on the host, best with the index; failing
    /// that, where the alias is gone, index and address.
    pub(crate) fn find_inside<'l>(&self, links: &'l [Link]) -> Option<&'l Link> {
        if self.permanent_mac.is_some() {
            return self.find_permanent(links);
        }
        let alike = || links.iter().filter(|link| self.is_alike(link));
        let is_marked = |link: &&Link| link.alias == self.name;
        let is_numbered = |link: &&Link| link.index == self.index;
        let by_both = alike().find(|link| is_marked(link) && is_numbered(link));
        by_both
            .or_else(|| alike().find(is_marked))
            .or_else(|| alike().find(|link| is_numbered(link) && link.mac == self.mac))
    }

    /// Which of the host's links it is. Others there may have had its name, and have it as their alias, so the index
    /// has to be the same. The kernel keeps it unless somebody else has it.
    pub(crate) fn find_on_host<'l>(&self, links: &'l [Link]) -> Option<&'l Link> {
        if self.permanent_mac.is_some() {
            return self.find_permanent(links);
        }
        let is_it = |link: &&Link| link.alias == self.name || link.mac == self.mac;
        links.iter().filter(|link| self.is_alike(link) && link.index == self.index).find(is_it)
    }

    fn find_permanent<'l>(&self, links: &'l [Link]) -> Option<&'l Link> {
        links.iter().find(|link| self.is_alike(link) && link.permanent_mac == self.permanent_mac)
    }

    fn is_alike(&self, link: &Link) -> bool {
        link.kind == self.kind && link.parent == self.parent
    }

    /// Whether it may be in the namespace with this cookie. Hardware that is known for certain may be in any.
    pub(crate) fn may_be_in(&self, cookie: Option<u64>) -> bool {
        let is_another = self.netns_cookie.zip(cookie).is_some_and(|(recorded, there)| recorded != there);
        self.permanent_mac.is_some() || !is_another
    }

    /// Whether `link`, on the host, needs nothing: it was never moved, or somebody has given it name and alias again.
    /// Where both are the same, they tell nothing.
    pub(crate) fn is_back(&self, link: &Link) -> bool {
        link.name == self.name && link.alias == self.alias && (link.alias != link.name || link.is_up())
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

    /// Whether the host calls it so, possibly by an alternative name.
    pub(crate) fn goes_by(&self, name: &str) -> bool {
        self.name == name || self.alternative_names.iter().any(|other| other == name)
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
        let device = Device::of(&port(4, "ens5", 5), String::new(), None);
        let changed = Link { name: "dev4".to_owned(), mac: None, index: 9, ..port(4, "", 5) };
        let sibling = port(4, "ens6", 6);
        for find in [Device::find_inside, Device::find_on_host] {
            assert_eq!(find(&device, std::slice::from_ref(&sibling)), None, "not by the card they share");
            assert_eq!(find(&device, &[sibling.clone(), changed.clone()]), Some(&changed));
            let other_card =
                Link { parent: "0000:3b:00.1".to_owned(), alias: "ens5".to_owned(), ..changed.clone() };
            assert_eq!(find(&device, &[sibling.clone(), other_card]), None, "an alias is easily forged");
            let marked = Link { alias: "ens5".to_owned(), ..sibling.clone() };
            assert_eq!(find(&device, &[marked]), None, "nor is an alias as good as a permanent address");
        }
    }

    fn veth(index: u32, alias: &str, mac: u8) -> Link {
        let (alias, kind) = (alias.to_owned(), "veth".to_owned());
        Link { index, name: "veth5".to_owned(), kind, alias, mac: Some(Mac([mac; 6])), ..Link::default() }
    }

    #[test]
    fn a_virtual_link_is_known_by_its_alias_then_by_index_and_address() {
        let device = Device::of(&veth(4, "", 2), String::new(), None);
        let (itself, marked, both) = (veth(4, "", 2), veth(9, "veth5", 3), veth(4, "veth5", 3));
        let inside = |links: &[Link]| device.find_inside(links).cloned();
        assert_eq!(inside(&[itself.clone(), marked.clone()]), Some(marked.clone()));
        assert_eq!(inside(&[marked.clone(), both.clone()]), Some(both.clone()));
        assert_eq!(inside(std::slice::from_ref(&itself)), Some(itself.clone()));
        let macvlan = Link { kind: "macvlan".to_owned(), ..marked.clone() };
        assert_eq!(inside(&[veth(5, "", 2), veth(4, "", 3), macvlan]), None);
        let outside = |links: &[Link]| device.find_on_host(links).cloned();
        assert_eq!(outside(&[marked, both.clone()]), Some(both));
        assert_eq!(outside(std::slice::from_ref(&itself)), Some(itself));
        assert_eq!(outside(&[veth(9, "veth5", 2), veth(4, "", 3)]), None, "another one had its name");
    }

    #[test]
    fn the_record_holds_all_of_it() {
        let alias = "uplink".to_owned();
        let device = Device::of(
            &Link { alias, mtu: 9000, flags: 0x1003, ..port(4, "ens5", 5) },
            "/run/netns/a".to_owned(),
            Some(u64::MAX),
        );
        let json = Json::Object(device.members());
        assert_eq!(Json::parse(json.pretty().as_bytes()).unwrap().decode::<Device>().unwrap(), device);
    }
}
