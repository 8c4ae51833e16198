//! What may be written into a plugin's configuration: the declarations of the plugin, of its IPAM plugin and of all
//! plugins, put together. `validate` compares with it, `schema` prints it.

use cni_plugins::KEYS;
use cni_types::{Absent, Form, Key, PluginKeys, Shared};

/// The plugins that do nothing without the result of one before them.
pub(crate) const CHAINED: [&str; 6] = ["bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf"];
/// The IPAM plugins.
pub(crate) const IPAM: [&str; 3] = ["dhcp", "host-local", "static"];
/// What the delegate of `flannel` is without a word, and its IPAM plugin.
pub(crate) const DELEGATE: (&str, &str) = ("bridge", "host-local");

/// A key, with all that is declared about it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) key: Key,
    pub(crate) shape: Shape,
    pub(crate) is_required: bool,
}

/// What its value is.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// No object, and nothing with objects in it that others could add keys to.
    Form(&'static Form),
    List(Box<Self>),
    Object(Vec<Known>),
}

/// The keys that a plugin of this suite declares; `None` for a plugin of others.
pub(crate) fn declared(plugin: &str) -> Option<&'static PluginKeys> {
    const LOOPBACK: PluginKeys = PluginKeys { plugin: "loopback", keys: &[], args: &[] };
    const ALL: &[PluginKeys] = &KEYS;
    ALL.iter().find(|keys| keys.plugin == plugin).or_else(|| (plugin == "loopback").then_some(&LOOPBACK))
}

/// The names of this suite's plugins, in order, without those that give addresses.
pub(crate) fn plugins() -> Vec<&'static str> {
    let mut names: Vec<_> = KEYS.iter().map(|keys| keys.plugin).filter(|name| !IPAM.contains(name)).collect();
    names.push("loopback");
    names.sort_unstable();
    names
}

/// Whether the plugin makes the interface that the runtime asks for.
pub(crate) fn makes_interface(plugin: &str) -> bool {
    declared(plugin).is_some()
        && plugin != "loopback"
        && !CHAINED.contains(&plugin)
        && !IPAM.contains(&plugin)
}

/// The keys all plugins share. What the runtime writes into them need not be there.
pub(crate) fn shared() -> Vec<Known> {
    let mut known = merge(&[Shared::KEYS]);
    for one in known.iter_mut().filter(|one| one.key.name == "name") {
        one.is_required = false;
    }
    known
}

/// Those that count for plugins of others, too. In `ipam`, `dns` and `args` others may have what we do not know.
pub(crate) fn of_others() -> Vec<Known> {
    let mut known = shared();
    known.retain(|known| !matches!(known.key.name, "ipam" | "dns" | "args"));
    known
}

/// The keys that these say something about, each once.
pub(crate) fn merge(all: &[&'static [Key]]) -> Vec<Known> {
    let mut known = Vec::new();
    for key in all.iter().copied().flatten() {
        add(&mut known, key);
    }
    known
}

/// The keys of a plugin of this suite with this IPAM plugin, be it of the suite or not.
pub(crate) fn of_plugin(plugin: &'static PluginKeys, ipam: Option<&'static PluginKeys>) -> Vec<Known> {
    let mut known = shared();
    let all = [Some(plugin), ipam].into_iter().flatten().flat_map(|plugin| plugin.keys);
    for key in all.copied().flatten() {
        add(&mut known, key);
    }
    if plugin.plugin == "flannel" {
        // It writes what its IPAM plugin cannot do without.
        known.iter_mut().for_each(|known| known.is_required &= known.key.name != "ipam");
    }
    known
}

fn add(known: &mut Vec<Known>, key: &'static Key) {
    let new = Known { key: *key, shape: shape(&key.form), is_required: key.absent == Absent::Required };
    let Some(old) = known.iter_mut().find(|known| known.key.name == key.name) else {
        known.push(new);
        return;
    };
    old.is_required |= new.is_required;
    match (&mut old.shape, new.shape) {
        (Shape::Object(_), Shape::Object(_)) => {
            if let (Shape::Object(old), Form::Object(more)) = (&mut old.shape, &key.form) {
                more.iter().for_each(|key| add(old, key));
            }
            if !key.text.is_empty() {
                old.key = Key { absent: key.absent, ..*key };
            }
        }
        (Shape::Form(Form::Any), shape) => (old.key, old.shape) = (*key, shape),
        (_, Shape::Form(Form::Any)) => {}
        (old_shape, shape) => (old.key, *old_shape) = (*key, shape),
    }
}

fn shape(form: &'static Form) -> Shape {
    match form {
        Form::Object(keys) => Shape::Object(merge(&[keys])),
        Form::List(items) => Shape::List(Box::new(shape(items))),
        form => Shape::Form(form),
    }
}

/// What a list of networks says besides its plugins.
pub(crate) const LIST: [(&str, &str); 6] = [
    ("cniVersion", "the version of the specification that all plugins are asked to speak"),
    ("cniVersions", "more versions; the highest that the runtime knows is used"),
    ("name", "the network's name: letters, digits, `_`, `.`, `-`"),
    ("disableCheck", "the runtime runs no CHECK"),
    ("disableGC", "the runtime runs no GC"),
    ("loadOnlyInlinedPlugins", "plugins of the directory with the network's name do not belong to it"),
];

/// Keys that runtimes write into any plugin's configuration, and that no plugin has read for years: kubenet's and
/// minikube's, and those of flannel networks under Multus.
const UNREAD: [&str; 2] = ["addIf", "kubernetes"];

/// Whether a key is a remark for people, or as good as one. JSON has no comments.
pub(crate) fn is_remark(key: &str) -> bool {
    let word = key.to_ascii_lowercase();
    UNREAD.contains(&key)
        || key.starts_with(['_', '/', '#', '$'])
        || key.starts_with("x-")
        || ["comment", "comments", "description", "documentation", "note"].contains(&word.as_str())
}
