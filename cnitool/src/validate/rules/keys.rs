//! The keys of a plugin, against what it and its IPAM plugin declare.

use cni_types::{nearest, same_key};

use crate::known::{self, Known, Shape};
use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;
use crate::validate::places::Places;
use crate::validate::shape;

/// Compares; of a plugin of others the keys that all plugins share.
pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    let (node, spot) = (plugin.node(), plugin.spot());
    let Some(declared) = plugin.declared() else {
        return common(sheet, &spot, node);
    };
    let ipam = plugin.ipam_kind();
    let ours = ipam.filter(|ipam| known::IPAM.contains(ipam)).and_then(known::declared);
    let known = known::of_plugin(declared, ours);
    let places = Places {
        base: &spot.path,
        plugin: declared.plugin,
        ipam,
        known: &known,
        is_foreign_ipam: ours.is_none(),
    };
    shape::object(sheet, &spot, node, &known, &places);
    args(sheet, &spot, node, &known);
}

/// Of a plugin of others only what libcni reads itself is known.
fn common(sheet: &mut Sheet, spot: &Spot, node: &Node) {
    let known = known::of_others();
    for member in node.members() {
        let found = known.iter().find(|known| known.key.name == member.key.text);
        let Some(found) = found else { continue };
        let places =
            Places { base: &spot.path, plugin: "it", ipam: None, known: &known, is_foreign_ipam: true };
        let spot = spot.member(&member.key.text, &member.node.place);
        shape::value(sheet, &spot, &member.node, &found.shape, found.is_required, &places);
    }
    if node.get("type").is_none() {
        sheet.error("missing-key", &Places::head(spot, node), "the key type is missing: it names the plugin");
    }
}

/// What stands in `args` right away is read by nobody: it belongs into `args.cni`.
fn args(sheet: &mut Sheet, spot: &Spot, node: &Node, known: &[Known]) {
    let inside = |known: &[Known], name: &str| {
        let found = known.iter().find(|known| known.key.name == name).map(|known| known.shape.clone());
        if let Some(Shape::Object(keys)) = found { keys } else { Vec::new() }
    };
    let Some(member) = node.member("args") else { return };
    let keys = inside(&inside(known, "args"), "cni");
    let spot = spot.member("args", &member.key.place);
    for misplaced in member.node.members().iter().filter(|m| keys.iter().any(|k| k.key.name == m.key.text)) {
        let spot = spot.member(&misplaced.key.text, &misplaced.key.place);
        let finding = sheet.error(
            "wrong-place",
            &spot,
            format!("nothing reads {}: it belongs into args.cni", spot.path),
        );
        finding.meant = Some("args.cni".to_owned());
    }
    let Some(cni) = member.node.member("cni") else { return };
    let spot = spot.member("cni", &cni.key.place);
    // Anybody may put anything in there, but for a slip.
    for other in cni.node.members().iter().filter(|m| keys.iter().all(|k| !same_key(k.key.name, &m.key.text)))
    {
        if let Some(meant) = nearest(&other.key.text, keys.iter().map(|known| known.key.name)) {
            let at = spot.member(&other.key.text, &other.key.place);
            sheet.warn("unknown-key", &at, "nothing of this plugin reads it").meaning(meant);
        }
    }
}
