//! Where a lease is used: an interface in a namespace that may be gone the next time somebody looks. Nothing is kept
//! open in between.

use std::path::{Path, PathBuf, absolute};

use cni_net::{IFF_UP, Link, Netns, Rtnl};
use cni_types::{Code, Doing, Error, IfName, Mac, Result};

/// One interface, recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) netns: PathBuf,
    /// Device and inode number of the namespace: another one may get the same path.
    pub(crate) identity: (u64, u64),
    /// The kernel's number for it, which no other one gets until the next boot (since Linux 5.14): the inode's number
    /// goes to the next namespace at once.
    pub(crate) cookie: Option<u64>,
    pub(crate) ifname: IfName,
    /// Index of the interface: another one may get the same name.
    pub(crate) index: u32,
    pub(crate) mac: Mac,
    /// It shares its Ethernet address with others (ipvlan), and gets what is for an IP address it has, or for
    /// everybody.
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
        let cookie = rtnl.netns_cookie();
        let (netns, ifname, shares_mac) = (netns.to_owned(), ifname.clone(), link.kind == "ipvlan");
        Ok(Self { netns, identity, cookie, ifname, index: link.index, mac, shares_mac })
    }

    /// A socket in the namespace; `None` when the namespace or the interface is gone.
    ///
    /// # Errors
    /// Code 8 when the namespace is there but cannot be entered, code 100 when the kernel refuses.
    pub(crate) fn find_there(&self) -> Result<Option<Rtnl>> {
        Ok(self.look()?.map(|(_, rtnl)| rtnl))
    }

    /// Runs `act` inside the namespace; `None` when the namespace or the interface is gone.
    ///
    /// # Errors
    /// Those of `act`, and of [`Place::find_there`].
    pub(crate) fn visit<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<Option<T>> {
        let Some((namespace, _)) = self.look()? else { return Ok(None) };
        namespace.enter(act)?.map(Some)
    }

    fn look(&self) -> Result<Option<(Netns, Rtnl)>> {
        let Some(namespace) = Netns::find(Some(&self.netns))? else { return Ok(None) };
        if namespace.identity()? != self.identity {
            return Ok(None);
        }
        let rtnl = Rtnl::open_in(&namespace)?;
        let link = rtnl.find_link_by_index(self.index)?;
        Ok(link.filter(|link| self.has(rtnl.netns_cookie(), link)).map(|_| (namespace, rtnl)))
    }

    /// Whether both are the same interface, under whatever path its namespace is.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        let cookies = self.cookie.zip(other.cookie);
        let is_the_namespace = cookies.map_or(self.mac == other.mac, |(this, that)| this == that);
        is_the_namespace
            && (self.identity, &self.ifname, self.index) == (other.identity, &other.ifname, other.index)
    }

    /// Whether this link, under its index in the namespace with this cookie, is the one. Where no cookie tells, the MAC
    /// address has to: elsewhere a plugin behind this one in the chain may have changed it.
    fn has(&self, cookie: Option<u64>, link: &Link) -> bool {
        let is_the_namespace = match (self.cookie, cookie) {
            (Some(recorded), Some(there)) => recorded == there,
            _ => link.mac == Some(self.mac),
        };
        is_the_namespace && link.name == self.ifname.as_str()
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// As [`Place::find_there`].
    pub(crate) fn is_there(&self) -> Result<bool> {
        Ok(self.find_there()?.is_some())
    }
}

/// The whole path of a namespace: the daemon has a working directory of its own.
///
/// # Errors
/// Code 5 when the plugin's is gone.
pub(crate) fn whole(netns: &Path) -> Result<PathBuf> {
    absolute(netns).doing(format!("cannot complete the path {}", netns.display()))
}
