//! The link that a macvlan, ipvlan or vlan is on: where the configuration says, or where the default route leads.

use cni_types::{Error, Json, Key, Network, Result, Text, keys};

use crate::link::{Link, LinkName, Side};
use crate::mtu::MTU_MIN;
use crate::route::tables::TABLE_MAIN;
use crate::rtnl::Rtnl;

keys! {
    struct Keys {
        /// the link it is on, by its name or an alternative one; one that is down is waited for
        "master" master: Text<LinkName>, otherwise("the link of the default route");
        /// the master is in the container
        "linkInContainer" link_in_container: bool;
    }
}

/// The keys `master` and `linkInContainer`, valid as far as they can be without looking at the kernel.
#[derive(Debug, Clone)]
pub struct Master {
    /// Which link it is.
    pub name: MasterName,
    /// Where it is.
    pub side: Side,
}

/// How the master is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterName {
    /// By its name, or an alternative one.
    Named(LinkName),
    /// By the default route, IPv4 before IPv6.
    DefaultRoute,
    /// It is the only interface of the plugin before, so that only ADD knows it.
    Previous,
}

impl Master {
    /// The key that names it.
    pub const NAME: Key = Keys::KEYS[0];
    /// The key that says where it is.
    pub const PLACE: Key = Keys::KEYS[1];

    /// Reads the keys; without `master` it is the link of the default route.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for a name that no link can have, and for two different ones.
    pub fn read(network: &Network) -> Result<Self> {
        refuse_two(network.json())?;
        let keys: Keys = network.conf()?;
        let name = keys.master.read_if_given("master")?;
        let name = name.map_or(MasterName::DefaultRoute, MasterName::Named);
        Ok(Self { name, side: if keys.link_in_container { Side::Container } else { Side::Host } })
    }

    /// The same, for plugins that cannot do without the key.
    ///
    /// # Errors
    /// As [`Master::read`]; code 7 too without `master`.
    pub fn required(network: &Network) -> Result<Self> {
        let master = Self::read(network)?;
        if master.name == MasterName::DefaultRoute {
            return Err(Error::config("the key \"master\" is missing: it names the link to be on"));
        }
        Ok(master)
    }

    /// The same, where the plugin before knows it ([`MasterName::Previous`]).
    ///
    /// # Errors
    /// Code 7 when that plugin's result has no interface, or several.
    pub fn settled(&self, network: &Network) -> Result<Self> {
        if self.name != MasterName::Previous {
            return Ok(self.clone());
        }
        let names: Vec<_> =
            network.prev_result()?.unwrap_or_default().interfaces.into_iter().map(|i| i.name).collect();
        let [name] = names.as_slice() else {
            let text =
                format!("chained master failure: prevResult has {} interfaces instead of one", names.len());
            return Err(Error::config(text).because("name the master with the key \"master\""));
        };
        let name = Text::from(name.as_str()).read("master").map(MasterName::Named)?;
        Ok(Self { name, ..self.clone() })
    }

    /// The master; `None` when only ADD knows it.
    ///
    /// # Errors
    /// Code 7 when there is none, or when there is no default route to tell it.
    pub fn find(&self, host: &Rtnl, inside: &Rtnl) -> Result<Option<Link>> {
        let (here, there) = match self.side {
            Side::Host => (host, inside),
            Side::Container => (inside, host),
        };
        let master = match &self.name {
            MasterName::Previous => return Ok(None),
            MasterName::Named(name) => {
                here.find_link(name.as_str())?.ok_or_else(|| self.missing(name, there))?
            }
            MasterName::DefaultRoute => default_route(here)?.ok_or_else(|| {
                Error::config(format!("there is no default route {} to take the master from", self.place()))
                    .because("name the master with the key \"master\"")
            })?,
        };
        Ok(Some(master))
    }

    fn missing(&self, name: &LinkName, there: &Rtnl) -> Error {
        let error = Error::config(format!("there is no master {name} {}", self.place()));
        match (there.find_link(name.as_str()), self.side) {
            (Ok(Some(_)), Side::Host) => {
                error.because("it is in the container: see the key \"linkInContainer\"")
            }
            (Ok(Some(_)), Side::Container) => {
                error.because("it is on the host: see the key \"linkInContainer\"")
            }
            _ => error.because("see `ip link`, and the key \"master\""),
        }
    }

    const fn place(&self) -> &'static str {
        match self.side {
            Side::Host => "on the host",
            Side::Container => "in the container",
        }
    }
}

/// Refuses a master that is down.
///
/// # Errors
/// Code 7 with the command that helps.
pub fn refuse_down(master: &Link) -> Result<()> {
    let name = &master.name;
    if master.is_up() {
        return Ok(());
    }
    Err(Error::config(format!("master {name} is down"))
        .because(format!("bring it up where it is: ip link set {name} up")))
}

/// Refuses an MTU above the master's.
///
/// # Errors
/// Code 7 with the allowed interval.
pub fn refuse_larger(mtu: u32, master: &Link) -> Result<()> {
    let (name, max) = (&master.name, master.mtu);
    if mtu <= max {
        return Ok(());
    }
    Err(Error::config(format!(
        "invalid mtu {mtu}: on master {name} it must be {MTU_MIN}–{max}, or 0 for {max}"
    )))
}

/// Go takes the last of several; which of two masters is meant is not for us to guess.
fn refuse_two(json: &Json) -> Result<()> {
    let Json::Object(members) = json else { return Ok(()) };
    let mut masters =
        members.iter().filter(|(key, _)| key.eq_ignore_ascii_case("master")).map(|(_, value)| value);
    let first = masters.next();
    if masters.any(|other| Some(other) != first) {
        return Err(Error::config("the key \"master\" is there twice, with different values"));
    }
    Ok(())
}

/// The link of the first default route in the main table, IPv4 before IPv6.
fn default_route(rtnl: &Rtnl) -> Result<Option<Link>> {
    let routes = rtnl.routes(Some(TABLE_MAIN))?;
    let default = routes.iter().find(|route| route.is_unicast && route.dst.is_default());
    let hop = default.and_then(|route| route.hops.first());
    hop.map_or(Ok(None), |hop| rtnl.find_link_by_index(hop.index))
}
