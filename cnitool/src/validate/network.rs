//! A network as the checks see it: its document, and a view of each of its plugins.

use std::rc::Rc;

use cni_types::{Json, PluginKeys};

use super::document::{Node, Value};
use super::finding::Spot;
use crate::known;

/// One network.
#[derive(Debug)]
pub(crate) struct Network {
    /// The index of its file.
    pub(crate) file: usize,
    pub(crate) document: Rc<Node>,
    /// Whether the document is a list of plugins, and not one plugin.
    pub(crate) is_list: bool,
    pub(crate) plugins: Vec<Plugin>,
}

/// One plugin of a network.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
    /// The index of its file: those of the directory with the network's name have their own.
    pub(crate) file: usize,
    document: Rc<Node>,
    /// Its place in `plugins`; `None` when it is the whole document.
    index: Option<usize>,
}

impl Network {
    pub(crate) fn new(file: usize, document: Node, is_list: bool) -> Self {
        let document = Rc::new(document);
        let plugin = |index| Plugin { file, document: Rc::clone(&document), index };
        let plugins = match document.exact("plugins") {
            _ if !is_list => vec![plugin(None)],
            Some(plugins) => (0..plugins.items().len()).map(|index| plugin(Some(index))).collect(),
            None => Vec::new(),
        };
        Self { file, document, is_list, plugins }
    }

    /// Its name, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        let name = if self.is_list { self.document.exact("name") } else { self.document.get("name") };
        name.and_then(Node::text).filter(|name| !name.is_empty())
    }

    /// The versions of the specification that it may be used with.
    pub(crate) fn versions(&self) -> Vec<&str> {
        let of = |key| if self.is_list { self.document.exact(key) } else { self.document.get(key) };
        let more = of("cniVersions").into_iter().flat_map(Node::items);
        of("cniVersion")
            .into_iter()
            .chain(more)
            .filter_map(Node::text)
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// The whole document's place.
    pub(crate) fn spot(&self) -> Spot {
        Spot { file: self.file, path: String::new(), place: self.document.place.clone() }
    }
}

impl Plugin {
    /// The plugin that is the whole document.
    pub(crate) fn alone(file: usize, document: Node) -> Self {
        Self { file, document: Rc::new(document), index: None }
    }

    pub(crate) fn node(&self) -> &Node {
        let item =
            |index: usize| self.document.exact("plugins").and_then(|plugins| plugins.items().get(index));
        self.index.and_then(item).unwrap_or(&self.document)
    }

    pub(crate) fn spot(&self) -> Spot {
        let path = self.index.map(|index| format!("plugins[{index}]")).unwrap_or_default();
        Spot { file: self.file, path, place: self.node().place.clone() }
    }

    /// The place of its name, or of its bracket without one.
    pub(crate) fn head(&self) -> Spot {
        super::places::Places::head(&self.spot(), self.node())
    }

    /// The value under `key`, or the head without it.
    pub(crate) fn spot_of(&self, key: &str) -> Spot {
        if self.node().member(key).is_some() { self.spot().key(self.node(), key) } else { self.head() }
    }

    /// Its name; empty without one.
    pub(crate) fn kind(&self) -> &str {
        self.node().text_of("type").unwrap_or_default()
    }

    /// What it declares; `None` for a plugin of others.
    pub(crate) fn declared(&self) -> Option<&'static PluginKeys> {
        known::declared(self.kind()).filter(|_| !self.is_ipam())
    }

    /// Whether it is one that gives addresses, which has no place in a list.
    pub(crate) fn is_ipam(&self) -> bool {
        known::IPAM.contains(&self.kind())
    }

    /// The object `ipam`.
    pub(crate) fn ipam(&self) -> Option<&Node> {
        self.node().get("ipam").filter(|ipam| ipam.is_object())
    }

    /// The name of its IPAM plugin.
    pub(crate) fn ipam_kind(&self) -> Option<&str> {
        let default = (self.kind() == "flannel").then_some(known::DELEGATE.1);
        self.ipam().and_then(|ipam| ipam.text_of("type")).or(default)
    }

    /// The plugin that makes the interface: of `flannel` its delegate.
    pub(crate) fn maker(&self) -> &str {
        match self.kind() {
            "flannel" => {
                let delegate = self.node().get("delegate").and_then(|delegate| delegate.text_of("type"));
                delegate.unwrap_or(known::DELEGATE.0)
            }
            kind => kind,
        }
    }

    /// Whether the capability is asked for.
    pub(crate) fn has_capability(&self, name: &str) -> bool {
        let capability = self.node().get("capabilities").and_then(|all| all.get(name));
        matches!(capability, Some(Node { value: Value::Leaf(Json::Bool(true)), .. }))
    }

    /// The value at `object` and then `key`.
    pub(crate) fn below(&self, object: &str, key: &str) -> Option<&Node> {
        self.node().get(object).and_then(|object| object.get(key))
    }
}
