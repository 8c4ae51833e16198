//! What links are called.

use std::collections::HashMap;

use cni_netlink::attr;

use super::message::{Message, bytes};
use crate::trace::run::Asked;

/// `RTM_GETLINK`
const GETLINK: u16 = 18;

/// The names of links by their numbers, in the host's namespace or the container's.
#[derive(Default)]
pub(super) struct Links {
    names: HashMap<(bool, u32), String>,
    /// What a link in the container is that the run never asked the name of: the attachment's own.
    ifname: String,
}

impl Links {
    /// As far as the run asked for them.
    pub(super) fn of(asked: &[Asked], ifname: &str) -> Self {
        let mut links = Self { ifname: ifname.to_owned(), ..Self::default() };
        for asked in asked.iter().filter(|asked| asked.whom == "route") {
            let (wire, object) = (bytes(&asked.said), bytes(&asked.object));
            let is_link = Message::read(&wire).is_some_and(|message| message.kind == GETLINK);
            let (Some(index), Some(attrs)) = (object.get(4..).and_then(attr::host32), object.get(16..))
            else {
                continue;
            };
            if let Some(name) = attr::find(attrs, libc::IFLA_IFNAME).and_then(attr::text).filter(|_| is_link)
            {
                links.names.insert((asked.inside, index), name.to_owned());
            }
        }
        links
    }

    pub(super) fn name(&self, inside: bool, index: u32) -> String {
        let known = self.names.get(&(inside, index)).cloned();
        known.unwrap_or_else(|| if inside { self.ifname.clone() } else { format!("if{index}") })
    }
}
