//! The keys of `vrf`, read and validated.

use cni_net::tables::Table;
use cni_net::{Link, Rtnl, vrf};
use cni_types::{Absent, Error, Form, Formed, IfName, Network, PluginKeys, Result, Text, keys};
use serde::Deserialize;

keys! {
    struct Keys {
        /// the VRF's name in the container
        "vrfname" vrfname: Text<IfName>, required();
        /// its routing table. An existing VRF must have this one
        "table" table: FreeOrTable;
    }
}

/// What `vrf` can be told.
pub const KEYS: PluginKeys = PluginKeys { plugin: "vrf", keys: &[Keys::KEYS], args: &[] };

/// 0 is a free one.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct FreeOrTable(Table);

impl Formed for FreeOrTable {
    const FORM: Form = Form::Whole(&[(0, 0), Table::NUMBERS[0], Table::NUMBERS[1]]);
    const ABSENT: Absent = Absent::Otherwise("0: a free one");
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
        Ok(Self {
            name: vrfname.read("vrfname")?,
            table: Some(table.0).filter(|table| table.0 != 0).map(Table::number).transpose()?,
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
