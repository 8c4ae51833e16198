//! Where the keys of one plugin's configuration belong, for those that stand elsewhere.

use cni_types::same_key;

use super::document::Node;
use super::finding::Spot;
use super::similar::similar;
use crate::known::{self, Known, Shape};

/// The objects of a plugin's configuration, and whose they are.
pub(crate) struct Places<'a> {
    /// The path of the plugin: `plugins[0]`; empty in a file with one plugin.
    pub(crate) base: &'a str,
    /// The plugin's name.
    pub(crate) plugin: &'a str,
    /// The name of its IPAM plugin, of whatever suite.
    pub(crate) ipam: Option<&'a str>,
    /// All keys.
    pub(crate) known: &'a [Known],
    /// The keys in `ipam` are those of a plugin of others.
    pub(crate) is_foreign_ipam: bool,
}

/// The objects in which keys are looked for, in order.
const OBJECTS: [&[&str]; 4] = [&[], &["ipam"], &["args", "cni"], &["runtimeConfig"]];

impl Places<'_> {
    /// Whether any key may stand in the object: the runtime, or a plugin of others reads it.
    pub(crate) fn is_open(&self, spot: &Spot) -> bool {
        match self.within(spot) {
            "runtimeConfig" | "args" | "args.cni" | "prevResult" => true,
            // Its keys are the delegate's.
            "delegate" => self.plugin == "flannel",
            "ipam" => self.is_foreign_ipam,
            _ => false,
        }
    }

    /// Whose keys are in the object.
    pub(crate) fn owner(&self, spot: &Spot) -> String {
        match (self.within(spot), self.ipam) {
            ("", _) => self.plugin.to_owned(),
            ("ipam", Some(ipam)) => ipam.to_owned(),
            (within, Some(ipam)) if within.starts_with("ipam.") => format!("{} of {ipam}", &within[5..]),
            (within, _) => format!("{within} of {}", self.plugin),
        }
    }

    /// The place of the object that has this key, if it is another than `spot`.
    pub(crate) fn of_key(&self, key: &str, spot: &Spot) -> Option<String> {
        let others = self.others(spot);
        let mut found = others.filter(|(_, known)| known.iter().any(|known| same_key(known.key.name, key)));
        found.next().map(|(path, _)| self.path(path, "")).or_else(|| {
            let of_list = known::LIST.iter().any(|(name, _)| *name == key) || key == "plugins";
            (of_list && self.base.starts_with("plugins"))
                .then(|| "the list itself, beside plugins".to_owned())
        })
    }

    /// A key in another object that is meant.
    pub(crate) fn similar(&self, key: &str, spot: &Spot) -> Option<String> {
        let mut all = self.others(spot);
        all.find_map(|(path, known)| {
            similar(key, known.iter().map(|known| known.key.name)).map(|meant| self.path(path, meant))
        })
    }

    /// A plugin that works behind others and has such a key.
    pub(crate) fn plugin_with(&self, key: &str) -> Option<&'static str> {
        let has = |plugin: &&&str| {
            let keys = known::declared(plugin).into_iter().flat_map(|plugin| plugin.keys);
            keys.copied().flatten().any(|known| same_key(known.name, key))
        };
        known::CHAINED.iter().find(has).copied()
    }

    /// The head of an object, for what is missing in it: its `type`, or its bracket.
    pub(crate) fn head(spot: &Spot, node: &Node) -> Spot {
        let kind = node.member("type").map(|member| member.node.place.clone());
        spot.at(&kind.unwrap_or(node.place.start..node.place.start + 1))
    }

    fn others<'a>(&'a self, spot: &Spot) -> impl Iterator<Item = (&'static [&'static str], &'a [Known])> {
        let here = self.within(spot).to_owned();
        let all = OBJECTS.into_iter().filter(move |path| path.join(".") != here);
        all.filter_map(|path| Some((path, keys_at(self.known, path)?)))
    }

    fn path(&self, path: &[&str], key: &str) -> String {
        let parts = [self.base].into_iter().chain(path.iter().copied()).chain([key]);
        let path = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        if path.is_empty() { "the configuration itself".to_owned() } else { path }
    }

    /// The path below the plugin, without the indices of lists.
    fn within<'s>(&self, spot: &'s Spot) -> &'s str {
        let rest = spot.path.strip_prefix(self.base).unwrap_or(&spot.path);
        rest.trim_start_matches('.')
    }
}

fn keys_at<'a>(known: &'a [Known], path: &[&str]) -> Option<&'a [Known]> {
    let Some((first, rest)) = path.split_first() else { return Some(known) };
    let Shape::Object(inside) = &known.iter().find(|known| known.key.name == *first)?.shape else {
        return None;
    };
    keys_at(inside, rest)
}
