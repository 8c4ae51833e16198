//! The delegate of `flannel`: a plugin's configuration inside of another's.

use crate::known::{self, DELEGATE};
use crate::validate::finding::Sheet;
use crate::validate::network::Plugin;
use crate::validate::places::Places;
use crate::validate::shape;

pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    let Some(delegate) = plugin.node().member("delegate").filter(|_| plugin.kind() == "flannel") else {
        return;
    };
    let (node, spot) = (&delegate.node, plugin.spot().member("delegate", &delegate.node.place));
    if !node.is_object() {
        return;
    }
    for key in ["name", "ipam"] {
        if let Some(member) = node.member(key) {
            let text = match key {
                "ipam" => "flannel sets it: what IPAM is told belongs into ipam beside delegate",
                _ => "flannel sets it: leave it out",
            };
            sheet.error("wrong-place", &spot.member(key, &member.key.place), text);
        }
    }
    let kind = node.text_of("type").unwrap_or(DELEGATE.0);
    let Some(declared) = known::declared(kind).filter(|_| known::makes_interface(kind)) else { return };
    let mut known = known::of_plugin(declared, None);
    // flannel writes what is required.
    known.iter_mut().for_each(|known| known.is_required = false);
    let places = Places { base: &spot.path, plugin: kind, ipam: None, known: &known, is_foreign_ipam: true };
    shape::object(sheet, &spot, node, &known, &places);
}
