//! What is in one namespace.

use std::collections::HashMap;
use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use rtnetlink::packet_core::Parseable;

use super::Link;
use super::conversation::{Answers, Conversation};

/// The links of one namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespace {
    pub(crate) links: Vec<Link>,
    /// Where in the list each name is.
    names: HashMap<String, usize>,
}

impl Namespace {
    /// That of this thread.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn read() -> io::Result<Self> {
        Self::list(&mut Answers::new())
    }

    /// The same with the answers received there.
    pub(super) fn list(answers: &mut Answers) -> io::Result<Self> {
        let mut kernel = Conversation::open(answers)?;
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        let mut links = kernel.list(&RouteNetlinkMessage::GetLink(question), Link::read)?;
        // Sorted for `at`: the kernel lists them in the order of their hashes.
        links.sort_by_key(|link| link.index);
        let names = links.iter().zip(0..).map(|(link, at)| (link.name.clone(), at)).collect();
        let mut namespace = Self { links, names };
        let question = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        for message in kernel.list(&question, AddressMessage::parse)? {
            namespace.take(message);
        }
        Ok(namespace)
    }

    /// A link with a peer has its own address as `Local` and the peer's as `Address`.
    fn take(&mut self, message: AddressMessage) {
        let (mut own, mut other) = (None, None);
        for attribute in message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => own = Some(ip),
                AddressAttribute::Address(ip) => other = Some(ip),
                _ => {}
            }
        }
        let index = message.header.index;
        let link = self.links.binary_search_by_key(&index, |link| link.index);
        if let (Some(ip), Ok(at)) = (own.or(other), link) {
            self.links[at].addresses.push((ip, message.header.prefix_len));
        }
    }

    /// The link with this index.
    pub(crate) fn at(&self, index: u32) -> Option<&Link> {
        self.links.binary_search_by_key(&index, |link| link.index).ok().map(|at| &self.links[at])
    }

    /// The link with this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Link> {
        self.names.get(name).map(|at| &self.links[*at])
    }
}
