//! The link that a macvlan, ipvlan or vlan is on: where the configuration says, or where the default route leads.

use cni_types::{Code, Doing, Error, IfName, Json, Network, Result};
use serde::Deserialize;

use crate::link::{Link, Side};
use crate::route::tables::TABLE_MAIN;
use crate::rtnl::Rtnl;
use crate::{MTU_MIN, mtu};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    master: String,
    link_in_container: bool,
    mtu: i64,
}

/// The keys `master`, `linkInContainer` and `mtu`, valid as far as they can be without looking at the kernel.
#[derive(Debug, Clone)]
pub struct MasterConf {
    /// The master's name; `None` is the link of the default route.
    pub name: Option<IfName>,
    /// Where the master is.
    pub side: Side,
    /// MTU in bytes; 0 leaves the master's.
    mtu: u32,
}

impl MasterConf {
    /// Reads the keys.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for a name that no link can have, for two different ones, and for an
    /// MTU no link can have.
    pub fn read(network: &Network) -> Result<Self> {
        refuse_two(network.json())?;
        let keys: Keys = network.conf()?;
        let name = Some(keys.master.as_str()).filter(|name| !name.is_empty()).map(IfName::new).transpose();
        Ok(Self {
            name: name.map_err(|e| Error { code: Code::CONFIG, ..e }).doing("key \"master\"")?,
            side: if keys.link_in_container { Side::Container } else { Side::Host },
            mtu: mtu(keys.mtu)?,
        })
    }

    /// The master, up.
    ///
    /// # Errors
    /// Code 7 when there is none, when it is down, or when there is no default route to tell it.
    pub fn find(&self, host: &Rtnl, inside: &Rtnl) -> Result<Link> {
        let (here, there) = match self.side {
            Side::Host => (host, inside),
            Side::Container => (inside, host),
        };
        let master = match &self.name {
            Some(name) => here.find_link(name.as_str())?.ok_or_else(|| self.missing(name, there))?,
            None => default_route(here)?.ok_or_else(|| {
                Error::config(format!("there is no default route {} to take the master from", self.place()))
                    .because("name the master with the key \"master\"")
            })?,
        };
        let name = &master.name;
        if !master.is_up() {
            return Err(Error::config(format!("master {name} is down"))
                .because(format!("bring it up {}: ip link set {name} up", self.place())));
        }
        Ok(master)
    }

    /// The MTU to make a link on `master` with; 0 leaves it the master's.
    ///
    /// # Errors
    /// Code 7 with the allowed interval when it is above the master's.
    pub fn mtu_on(&self, master: &Link) -> Result<u32> {
        if self.mtu <= master.mtu {
            return Ok(self.mtu);
        }
        let (mtu, name, max) = (self.mtu, &master.name, master.mtu);
        Err(Error::config(format!(
            "invalid mtu {mtu}: on master {name} it must be {MTU_MIN}–{max}, or 0 for {max}"
        )))
    }

    fn missing(&self, name: &IfName, there: &Rtnl) -> Error {
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
