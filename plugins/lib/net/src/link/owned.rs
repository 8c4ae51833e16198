//! Links with their owner's tag (`IFLA_IFALIAS`), where `ip link` shows it and DEL and GC look for it.

use cni_netlink::{Refused, Request};
use cni_types::{AttachmentId, Code, Error, Result};

use super::request::{self, about_named, about_new};
use super::{Link, first, get, veth};
use crate::netns::Netns;
use crate::rtnl::Rtnl;
use crate::sysctl;

/// Writes the owner's tag on the link of this name.
pub(super) fn tag(name: &str, owner: &AttachmentId) -> Request {
    let mut body = about_named(name);
    body.bytes(libc::IFLA_IFALIAS, owner.tag().as_bytes());
    request::set(format!("set the alias of link {name}"), body)
}

pub(super) fn vanished(name: &str) -> Error {
    Error::new(Code::KERNEL, format!("link {name} vanished right after its creation"))
}

impl Rtnl {
    /// Refuses an ADD of what is attached already, before anything is made: a link of the kind here has the
    /// attachment's tag, whatever the container calls it by now.
    ///
    /// # Errors
    /// Code 100 naming the link.
    pub fn refuse_tagged(&self, kind: &str, id: &AttachmentId, netns: &Netns) -> Result<()> {
        match self.tagged(kind, |alias| id.owns(alias))?.first() {
            Some(link) => {
                Err(id.attached_already(&format!("it is {} in {}", link.name, netns.path().display())))
            }
            None => Ok(()),
        }
    }

    /// Whether a container's link is another attachment's than `id`: it has another's tag, or its peer here, on the
    /// host, has. The path of a namespace may be another container's by the time of a DEL. One without a tag is the
    /// reference's, or anybody's.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn is_of_another_attachment(&self, link: &Link, id: &AttachmentId) -> Result<bool> {
        let is_others = |tag: &str| AttachmentId::is_tag(tag) && !id.owns(tag);
        Ok(is_others(&link.alias) || veth::find_peer(self, link)?.is_some_and(|peer| is_others(&peer.alias)))
    }

    /// Makes a link of the host's by `create`, which leaves it down, tags it, looks at it and brings it up, all in one
    /// send, which the kernel finishes whatever happens to this process: there is never a link without its tag. `name`
    /// must be free, or another's link gets the tag. It stays free, since it is this attachment's and runtimes must not
    /// work on one container in parallel (spec 1.1.0, "Lifecycle & Ordering"). Router advertisements are ignored on it
    /// from the start: nothing arrives by a pair whose other end is down, or by an ifb that nothing is redirected to.
    ///
    /// It is up last: each change of a link that is up and has no carrier yet, and the look at it as well, has the
    /// kernel walk all IPv6 routes of the host, which are several for each pod.
    ///
    /// # Errors
    /// The inner one when the kernel refuses to make it; code 100 for anything later, with the link gone again.
    pub(super) fn create_owned(
        &self,
        create: Request,
        name: &str,
        owner: &AttachmentId,
    ) -> Result<std::result::Result<Link, Refused>> {
        let look = get(format!("look up link {name}"), 0, Some(name));
        let up = request::set(format!("set link {name} up"), about_new(name));
        let mut answers = self.socket.ask(&[create, tag(name, owner), look, up]).into_iter();
        if let Some(Err(refused)) = answers.next() {
            return Ok(Err(refused));
        }
        let tagged = answers.next().transpose();
        let link = answers.next().map(first).transpose()?.flatten().ok_or_else(|| vanished(name))?;
        sysctl::ignore_router_advertisements(&link);
        let up = answers.next().transpose();
        // Nobody else knows of it yet.
        tagged.and(up).inspect_err(|_| drop(self.remove_link_if_present(link.index)))?;
        Ok(Ok(link))
    }
}
