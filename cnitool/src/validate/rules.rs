//! What no declaration of a single key says.

mod addresses;
mod capabilities;
mod chain;
mod dns;
mod flannel;
mod gateway;
mod keys;
mod list;
mod overruled;
mod pairs;
mod pool;
mod range;
mod routes;

use super::finding::Sheet;
use super::network::Network;

pub(crate) use range::{Range, overlaps};

/// Checks one network; gives the ranges that addresses come from.
pub(crate) fn check(sheet: &mut Sheet, network: &Network) -> Vec<Range> {
    list::check(sheet, network);
    chain::check(sheet, network);
    let mut ranges = Vec::new();
    for plugin in network.plugins.iter().filter(|plugin| plugin.node().is_object()) {
        keys::check(sheet, plugin);
        overruled::check(sheet, network, plugin);
        if plugin.declared().is_some() {
            flannel::check(sheet, plugin);
            capabilities::check(sheet, plugin);
            pairs::check(sheet, plugin);
            dns::check(sheet, plugin);
            ranges.extend(addresses::check(sheet, plugin));
        }
    }
    ranges
}
