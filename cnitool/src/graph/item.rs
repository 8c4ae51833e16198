//! What a picture is made of.

use serde::Serialize;

/// What an item stands for; the order is that of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The link that packets leave the node by.
    Uplink,
    /// A link with a VLAN on it.
    Vlan,
    Bridge,
    /// What macvlan and ipvlan links are on.
    Master,
    /// A network whose containers are routed to singly.
    Routed,
    /// The attachment's link on the host.
    Link,
    Container,
    /// Containers of one network that are as they should be.
    Containers,
}

/// One box, with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) notes: Vec<String>,
    /// What is wrong with it.
    pub(crate) trouble: Option<String>,
    /// The network, of what is one network's alone.
    pub(crate) network: Option<String>,
    pub(crate) below: Vec<Item>,
}

impl Item {
    pub(crate) fn new(kind: Kind, title: impl Into<String>) -> Self {
        let (title, network) = (title.into(), None);
        Self { kind, title, notes: Vec::new(), trouble: None, network, below: Vec::new() }
    }

    /// Whether something is wrong with it or with what hangs on it.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.trouble.is_some() || self.below.iter().any(Self::is_in_trouble)
    }

    /// Hangs the rest of a path, root first, below it.
    pub(crate) fn hang(below: &mut Vec<Self>, path: Vec<Self>) {
        let mut path = path.into_iter();
        let Some(first) = path.next() else { return };
        // A container has an item of its own, whatever it is called.
        let same = |item: &&mut Self| {
            item.kind == first.kind && item.title == first.title && first.kind != Kind::Container
        };
        let at = match below.iter_mut().find(same) {
            Some(item) => {
                for note in first.notes {
                    if !item.notes.contains(&note) {
                        item.notes.push(note);
                    }
                }
                item
            }
            None => {
                below.push(first);
                let last = below.len() - 1;
                &mut below[last]
            }
        };
        Self::hang(&mut at.below, path.collect());
    }
}
