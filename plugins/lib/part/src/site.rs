//! Where the verbs work: namespaces, sockets and the packet filter, each opened when it is first needed.

use std::cell::OnceCell;
use std::rc::Rc;

use cni_filter::Filter;
use cni_net::configure::Interface;
use cni_net::{Link, Netns, Rtnl};
use cni_skel::{Attachment, Delegates};
use cni_types::{self as cni, Error, Result};

/// The host's namespace. The packet filter's socket closes last: that waits for the kernel after a delete, and the wait
/// overlaps with the link's.
#[derive(Default)]
pub struct Host {
    /// The plugins that may be run.
    pub delegates: Delegates,
    rtnl: OnceCell<Rtnl>,
    filter: Filter,
}

impl Host {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a plugin that has these.
    pub fn with(delegates: &Delegates) -> Self {
        Self { delegates: delegates.clone(), ..Self::default() }
    }

    /// The route netlink socket.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn rtnl(&self) -> Result<&Rtnl> {
        once(&self.rtnl, Rtnl::open)
    }

    /// The packet filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

/// Where ADD and CHECK work: both namespaces of an attachment.
pub struct Site<'a> {
    /// The attachment.
    pub attachment: &'a Attachment,
    netns: OnceCell<Netns>,
    inside: OnceCell<Rtnl>,
    /// The host.
    pub host: Rc<Host>,
}

impl<'a> Site<'a> {
    /// Opens nothing yet.
    pub fn new(attachment: &'a Attachment, delegates: &Delegates) -> Self {
        Self::on(Rc::new(Host::with(delegates)), attachment)
    }

    /// The same on a host that is shared with other attachments.
    pub fn on(host: Rc<Host>, attachment: &'a Attachment) -> Self {
        Self { attachment, netns: OnceCell::new(), inside: OnceCell::new(), host }
    }

    /// The container's namespace.
    ///
    /// # Errors
    /// Code 8 when it cannot be used.
    pub fn netns(&self) -> Result<&Netns> {
        once(&self.netns, || Netns::open(&self.attachment.netns))
    }

    /// The route netlink socket in the container.
    ///
    /// # Errors
    /// Code 8 when the namespace cannot be used, code 100 when the kernel gives no socket.
    pub fn inside(&self) -> Result<&Rtnl> {
        once(&self.inside, || Rtnl::open_in(self.netns()?))
    }

    /// Refuses an ADD whose interface name is in use in the container.
    ///
    /// # Errors
    /// Code 100 naming what has the name; as [`Site::inside`].
    pub fn refuse_taken(&self) -> Result<()> {
        self.inside()?.refuse_taken(&self.attachment.id.ifname, self.netns()?)
    }

    /// The interface that a plugin before in the chain has made.
    ///
    /// # Errors
    /// Code 100 when there is none; as [`Site::inside`].
    pub fn chained_interface(&self) -> Result<Link> {
        self.inside()?.chained_interface(&self.attachment.id.ifname, self.netns()?)
    }

    /// CHECK: the same as it is now.
    ///
    /// # Errors
    /// Code 103 when it is gone; as [`Site::inside`].
    pub fn find_interface(&self) -> Result<Link> {
        let ifname = &self.attachment.id.ifname;
        let link = self.inside()?.find_link(ifname.as_str())?;
        link.ok_or_else(|| Error::check(format!("interface {ifname} is gone")))
    }

    /// The container's interface for [`cni_net::configure`].
    ///
    /// # Errors
    /// As [`Site::inside`].
    pub fn interface(&self, link: &Link) -> Result<Interface<'_>> {
        let name = &self.attachment.id.ifname;
        Ok(Interface { inside: self.inside()?, netns: self.netns()?, name, index: link.index })
    }

    /// The result's entry of the container's interface; without a link, of a device that has none.
    pub fn entry(&self, link: Option<&Link>) -> cni::Interface {
        cni::Interface {
            name: self.attachment.id.ifname.to_string(),
            mac: link.map(Link::mac_text).unwrap_or_default(),
            mtu: link.map(|link| link.mtu).unwrap_or_default(),
            sandbox: self.attachment.netns.to_string_lossy().into_owned(),
            ..cni::Interface::default()
        }
    }
}

/// The result's entry of a link of the host.
pub fn host_entry(link: &Link) -> cni::Interface {
    cni::Interface {
        name: link.name.clone(),
        mac: link.mac_text(),
        mtu: link.mtu,
        ..cni::Interface::default()
    }
}

fn once<T>(cell: &OnceCell<T>, open: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(there) = cell.get() {
        return Ok(there);
    }
    let opened = open()?;
    Ok(cell.get_or_init(|| opened))
}
