//! Where a lease is used: an interface in a namespace that may be gone the next time somebody looks. Nothing is kept
//! open in between.

use std::path::{Path, PathBuf};

use cni_net::{IFF_UP, Netns, Rtnl};
use cni_types::{Code, Error, IfName, Mac, Result};

/// One interface, recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) netns: PathBuf,
    /// Device and inode number of the namespace: another one may get the same path.
    pub(crate) identity: (u64, u64),
    pub(crate) ifname: IfName,
    /// Index of the interface: another one may get the same name.
    pub(crate) index: u32,
    pub(crate) mac: Mac,
    /// It shares its Ethernet address with others (ipvlan), and gets what is for an IP address it has, or for everybody.
    pub(crate) shares_mac: bool,
}

impl Place {
    /// Finds the interface and sets it up if it is down.
    ///
    /// # Errors
    /// Code 8 for an unusable namespace, code 100 when there is no such interface, it has no Ethernet address or the
    /// kernel refuses.
    pub(crate) fn find(netns: &Path, ifname: &IfName) -> Result<Self> {
        let namespace = Netns::open(netns)?;
        let identity = namespace.identity()?;
        let rtnl = Rtnl::open_in(&namespace)?;
        let link = rtnl.link(ifname.as_str()).map_err(|e| e.doing(format!("in {}", netns.display())))?;
        let Some(mac) = link.mac else {
            return Err(Error::new(Code::KERNEL, format!("interface {ifname} has no Ethernet address"))
                .because("DHCP needs one"));
        };
        if !link.is_up() {
            rtnl.set_flags(&link, IFF_UP, IFF_UP)?;
        }
        let (netns, ifname, shares_mac) = (netns.to_owned(), ifname.clone(), link.kind == "ipvlan");
        Ok(Self { netns, identity, ifname, index: link.index, mac, shares_mac })
    }

    /// Runs `act` inside the namespace; `None` when the namespace or the interface is gone.
    ///
    /// # Errors
    /// Those of `act`; code 8 when the namespace is there but cannot be entered, code 100 when the kernel refuses.
    pub(crate) fn visit<T: Send>(&self, act: impl FnOnce(&Rtnl) -> Result<T> + Send) -> Result<Option<T>> {
        let Some(namespace) = Netns::find(Some(&self.netns))? else { return Ok(None) };
        if namespace.identity()? != self.identity {
            return Ok(None);
        }
        namespace.enter(|| {
            let rtnl = Rtnl::open()?;
            match rtnl.find_link_by_index(self.index)? {
                Some(link) if link.name == self.ifname.as_str() => act(&rtnl).map(Some),
                _ => Ok(None),
            }
        })?
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// As [`Place::visit`].
    pub(crate) fn is_there(&self) -> Result<bool> {
        Ok(self.visit(|_| Ok(()))?.is_some())
    }
}
