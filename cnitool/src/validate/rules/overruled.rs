//! What a file says and a runtime says anew.

use crate::validate::document::Node;
use crate::validate::finding::Sheet;
use crate::validate::network::{Network, Plugin};

/// The keys that are a runtime's to write, and out of what it writes them.
const WRITTEN: [(&str, &str); 3] = [
    ("runtimeConfig", "from what capabilities asks for"),
    ("prevResult", "from what the plugins before answered"),
    ("cni.dev/valid-attachments", "for GC, from what it knows to be attached"),
];

/// A runtime writes the network's name in place of the plugin's, too; people give plugins names, and nothing comes of
/// it.
const VERSION: &str = "cniVersion";

pub(super) fn check(sheet: &mut Sheet, network: &Network, plugin: &Plugin) {
    let (node, spot) = (plugin.node(), plugin.spot());
    for (key, whence) in WRITTEN.iter().filter(|_| plugin.declared().is_some()) {
        if let Some(member) = node.member(key) {
            let text = format!("it is for the runtime to write, {whence}: leave it out");
            sheet.warn("runtime-config", &spot.member(key, &member.key.place), text);
        }
    }
    if !network.is_list || plugin.declared().is_none() {
        return;
    }
    let list = network.document.exact(VERSION).and_then(Node::text);
    if let Some((own, list)) = node.text_of(VERSION).zip(list).filter(|(own, list)| own != list) {
        let text = format!("{own} counts for nothing: a runtime writes the list's own, {list}, in its place");
        sheet.warn("overruled", &plugin.spot_of(VERSION), text);
    }
}
