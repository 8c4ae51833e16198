//! The keys of `vrf`, read and validated.

use cni_net::{Link, Rtnl, tables, vrf};
use cni_types::{Code, Doing, Error, IfName, Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    vrfname: String,
    table: i64,
}

/// A valid configuration.
pub(crate) struct Conf {
    /// The VRF's name.
    pub(crate) name: IfName,
    /// Its table; without one a free one is picked.
    pub(crate) table: Option<u32>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let Keys { vrfname, table } = network.conf()?;
        let config = |e: Error| e.with_code(Code::CONFIG);
        Ok(Self {
            name: IfName::new(&vrfname).map_err(config).doing("vrfname")?,
            table: Some(table).filter(|table| *table != 0).map(tables::configured).transpose()?,
        })
    }

    /// The VRF, if it is there.
    ///
    /// # Errors
    /// Code 7 when the link of this name is no VRF, or one with another table than is configured.
    pub(crate) fn find(&self, inside: &Rtnl) -> Result<Option<Link>> {
        let Some(link) = inside.find_link(self.name.as_str())? else { return Ok(None) };
        let name = &self.name;
        if link.kind != vrf::KIND {
            let text = format!("link {name} already exists in the container and is no VRF");
            return Err(Error::config(text)
                .because(format!("it is of kind {:?}: choose another \"vrfname\"", link.kind)));
        }
        match (self.table, link.vrf_table()) {
            (Some(wanted), Some(there)) if wanted != there => Err(Error::config(format!(
                "VRF {name} already exists with a different routing table: {there}, not {wanted}"
            ))
            .because(format!("write \"table\": {there}, or choose another \"vrfname\""))),
            _ => Ok(Some(link)),
        }
    }
}
