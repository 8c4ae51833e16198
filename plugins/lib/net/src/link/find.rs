//! Looking links up. `ip link show`.

use cni_netlink::{Objects, Precision, Refused, Request};
use cni_types::{Code, Error, IfName, Result, Stale, sort_by};

use super::abi::{IFLA_EXT_MASK, SKIP_STATS};
use super::request::about;
use super::{Link, decode};
use crate::rtnl::Rtnl;

/// `IFLA_ALT_IFNAME` (`linux/if_link.h`)
const IFLA_ALT_IFNAME: u16 = 53;

pub(crate) fn get(doing: String, index: u32, name: Option<&str>) -> Request {
    let mut body = about(index);
    if let Some(name) = name {
        body.text(if is_alternative(name) { IFLA_ALT_IFNAME } else { libc::IFLA_IFNAME }, name);
    }
    body.host32(IFLA_EXT_MASK, SKIP_STATS);
    Request::new(doing, libc::RTM_GETLINK, 0, body)
}

/// Whether it is too long for a name. Shorter alternative names the kernel finds along with the names.
fn is_alternative(name: &str) -> bool {
    name.len() >= libc::IFNAMSIZ
}

pub(crate) fn first(answer: Objects) -> std::result::Result<Option<Link>, Refused> {
    match answer {
        Ok(messages) => Ok(messages.iter().find_map(|m| decode::link(m))),
        Err(refused) if refused.is_not_found() => Ok(None),
        Err(refused) => Err(refused),
    }
}

impl Rtnl {
    /// The link named `name`, if there is one; it may be an alternative name.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn find_link(&self, name: &str) -> Result<Option<Link>> {
        match first(self.socket.look_up(&get(format!("look up link {name}"), 0, Some(name)))) {
            // Before Linux 5.5 no link had such a name.
            Err(refused) if refused.is_invalid() && is_alternative(name) => Ok(None),
            answer => Ok(answer?),
        }
    }

    /// The link with interface index `index`, if there is one.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn find_link_by_index(&self, index: u32) -> Result<Option<Link>> {
        Ok(first(self.socket.look_up(&get(format!("look up the link with index {index}"), index, None)))?)
    }

    /// The link named `name`.
    ///
    /// # Errors
    /// Code 100 when there is none or the kernel refuses to say.
    pub fn link(&self, name: &str) -> Result<Link> {
        self.find_link(name)?.ok_or_else(|| Error::new(Code::KERNEL, format!("there is no link {name}")))
    }

    /// The interface of a chained plugin, which a plugin before it has made in `netns`, where this socket was born.
    ///
    /// # Errors
    /// Code 100 when there is none or the kernel refuses to say.
    pub fn chained_interface(&self, name: &IfName, netns: &crate::Netns) -> Result<Link> {
        self.find_link(name.as_str())?.ok_or_else(|| {
            Error::new(Code::KERNEL, format!("there is no interface {name} in {}", netns.path().display()))
                .because("a plugin before this one in the chain has to make it")
        })
    }

    /// Refuses an ADD whose interface name is in use in the container, before anything is made.
    ///
    /// # Errors
    /// Code 100 naming what has the name.
    pub fn refuse_taken(&self, name: &IfName, netns: &crate::Netns) -> Result<()> {
        let Some(link) = self.find_link(name.as_str())? else { return Ok(()) };
        let kind = if link.kind.is_empty() { "link" } else { &link.kind };
        Err(Error::new(
            Code::KERNEL,
            format!("interface {name} already exists in {}", netns.path().display()),
        )
        .because(format!("it is a {kind} with index {}; was this container's DEL forgotten?", link.index)))
    }

    /// All links.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say, code 11 when links kept coming and going meanwhile.
    pub fn links(&self) -> Result<Vec<Link>> {
        self.links_of(None, Precision::Exact)
    }

    /// The ports of the bridge or other master with this index.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub(crate) fn ports(&self, master: u32) -> Result<Vec<Link>> {
        let mut links = self.links_of(None, Precision::Rough)?;
        links.retain(|link| link.master == Some(master));
        Ok(links)
    }

    /// The links of one kind whose alias, the owner's tag, is as `wanted`.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn tagged(&self, kind: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Link>> {
        let mut links = self.links_of(Some(kind), Precision::Rough)?;
        links.retain(|link| wanted(&link.alias));
        // A list that changes meanwhile may have a link twice.
        sort_by(&mut links, |a, b| a.index < b.index);
        links.dedup_by_key(|link| link.index);
        Ok(links)
    }

    /// Deletes the links of one kind with a stale owner's tag (GC).
    ///
    /// # Errors
    /// All failures, folded, after every link was tried.
    pub fn remove_tagged(&self, kind: &str, stale: &Stale<'_>) -> Result<()> {
        let links = self.tagged(kind, |alias| stale.includes(alias))?.into_iter();
        Error::all(links.map(|link| self.remove_link_if_present(link.index)))
    }

    /// Those of one kind, or all.
    pub(super) fn links_of(&self, kind: Option<&str>, precision: Precision) -> Result<Vec<Link>> {
        let mut body = about(0);
        body.host32(IFLA_EXT_MASK, SKIP_STATS);
        if let Some(kind) = kind {
            body.nest(libc::IFLA_LINKINFO, |info| info.text(libc::IFLA_INFO_KIND, kind));
        }
        let list = Request::new("list the links", libc::RTM_GETLINK, 0, body);
        // A kernel that does not know the kind lists everything.
        let is_asked_for = |link: &Link| kind.is_none_or(|kind| link.kind == kind);
        Ok(self.socket.list(&list, precision, |m| decode::link(m).filter(is_asked_for))?)
    }
}
