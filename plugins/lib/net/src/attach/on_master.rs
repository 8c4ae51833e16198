//! A link on a master: what macvlan, ipvlan and vlan have in common beyond the sequence.

use cni_types::delegate::ipam;
use cni_types::{Attachment, CniResult, Code, Dns, Error, Mac, Network, Result, Undo};

use super::{Addresses, Site};
use crate::link::{Kind, Link, NewLink, Side};
use crate::master::MasterConf;
use crate::rtnl::Rtnl;

/// What the plugin's configuration asks for.
#[derive(Debug, Clone)]
pub struct OnMaster {
    /// The master.
    pub master: MasterConf,
    /// The link's kind.
    pub kind: Kind,
    /// Its address; the kernel's choice otherwise.
    pub mac: Option<Mac>,
    /// Replaces what IPAM says.
    pub dns: Option<Dns>,
}

impl OnMaster {
    /// ADD.
    ///
    /// # Errors
    /// Code 7 for a master that cannot be used or an MTU above its; those of [`super::add`].
    pub fn add(&self, attachment: &Attachment, addresses: Addresses) -> Result<CniResult> {
        let site = Site::open_for_add(attachment)?;
        let master = self.master.find(&site.host, &site.inside)?;
        let wanted = NewLink {
            name: &attachment.id.ifname,
            kind: self.kind,
            master: Some((&master, self.master.side)),
            mtu: self.master.mtu_on(&master)?,
            mac: self.mac,
        };
        let mut undo = Undo::new();
        let link = site.create(&wanted, &mut undo)?;
        let tell_segment = self.kind.has_own_address();
        super::add(&site, &link, addresses, self.dns.clone(), tell_segment, undo)
    }

    /// CHECK.
    ///
    /// # Errors
    /// As [`super::check`]; code 103 too when the link is not on the master or not as it was made.
    pub fn check(&self, attachment: &Attachment) -> Result<()> {
        super::check(attachment, self.kind.name(), |site, link| {
            let master = self.master.find(&site.host, &site.inside);
            let master = master.map_err(|e| Error { code: Code::CHECK, ..e })?;
            self.compare(link, &master)
        })
    }

    fn compare(&self, link: &Link, master: &Link) -> Result<()> {
        let (name, master_name) = (&link.name, &master.name);
        if link.iflink != Some(master.index) {
            let on = link.iflink.unwrap_or_default();
            return Err(Error::check(format!(
                "link {name} is on the link with index {on}, expected {master_name} with index {}",
                master.index
            )));
        }
        let mtu = self.master.mtu_on(master).map_err(|e| Error { code: Code::CHECK, ..e })?;
        if mtu != 0 && mtu != link.mtu {
            return Err(Error::check(format!("link {name} has MTU {}, expected {mtu}", link.mtu)));
        }
        match Kind::of(link) {
            Some(kind) if self.kind.agrees_with(kind) => Ok(()),
            Some(kind) => Err(Error::check(format!("link {name} is {kind}, expected {}", self.kind))),
            None => Err(Error::check(format!("link {name} is of no known form, expected {}", self.kind))),
        }
    }

    /// STATUS: IPAM, the kernel, and the master where it is on the host.
    ///
    /// # Errors
    /// Code 50 with the reason.
    pub fn status(&self, network: &Network) -> Result<()> {
        ipam::status(network)?;
        self.kind.probe()?;
        if self.master.side == Side::Container {
            return Ok(());
        }
        let host = Rtnl::open()?;
        let master = self.master.find(&host, &host).and_then(|master| self.master.mtu_on(&master));
        master.map(drop).map_err(|e| Error { code: Code::UNAVAILABLE, ..e })
    }
}
