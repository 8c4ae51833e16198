//! What the parts of all plugins say that they hold.

use std::collections::BTreeSet;

use cni_part::{Held, Host, Owned};
use cni_plugins::PART_PLUGINS;
use cni_types::{Json, Network, NetworkName, SpecVersion};

use super::Thing;
use crate::conflist::NetworkList;

/// The things of a network's attachments, each with its owner's tag or what that starts with. What a part could not say
/// is in `missing`.
pub(super) fn of_network(
    host: &Host,
    name: &NetworkName,
    list: Option<&NetworkList>,
    missing: &mut Vec<String>,
) -> Vec<(String, Thing)> {
    let mut asked = BTreeSet::new();
    let mut things = Vec::new();
    for plugin in PART_PLUGINS {
        let network = network(name, list, plugin.name);
        for owned in plugin.owned.iter().filter(|owned| asked.insert(owned.name())) {
            match owned.held(host, &network) {
                Ok(held) => {
                    things.extend(held.into_iter().map(|held| thing(*owned, held)));
                }
                Err(e) => missing.push(format!("{} of network {name}: {e}", owned.name())),
            }
        }
    }
    things
}

/// A record names its owner by the hashes alone.
fn thing(owned: &dyn Owned, held: Held) -> (String, Thing) {
    let is_on_record = !held.owner.contains(", net: ");
    (held.owner, Thing { part: owned.name().to_owned(), what: held.what, is_on_record })
}

/// The network as the plugin gets it; where its list does not have the plugin any more, with nothing but the name.
fn network(name: &NetworkName, list: Option<&NetworkList>, plugin: &str) -> Network {
    let conf = list.and_then(|list| list.plugins.iter().find(|conf| conf.name.as_str() == plugin));
    let conf = conf.map_or_else(|| Json::Object(Vec::new()), |conf| conf.object.clone());
    let bytes = conf.compact().into_bytes();
    Network::new(name.clone(), SpecVersion::CURRENT, conf, bytes)
}
