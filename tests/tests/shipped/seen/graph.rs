//! `graph`: what hangs on what.

use std::fs;

use cni_tests::Place;
use serde_json::Value;

use super::Seen;

/// The titles on the way to the container, root first.
fn way(items: &Value, container: &str) -> Option<Vec<String>> {
    items.as_array().unwrap().iter().find_map(|item| {
        let title = item["title"].as_str().unwrap().to_owned();
        if title == container {
            return Some(vec![title]);
        }
        let below = way(&item["below"], container)?;
        Some([vec![title], below].concat())
    })
}

#[test]
fn the_way_from_the_uplink_to_each_container() {
    let seen = Seen::new();
    let outside = seen.host.outside();
    seen.host.run("ip route add default via 198.51.100.2");
    for (network, pod) in [("web", "cart"), ("web", "shop"), ("p2p", "direct")] {
        seen.attach(network, pod);
    }
    let document: Value = serde_json::from_str(&seen.text("graph -o json")).unwrap();
    let end = |pod: &str| seen.of(pod)["hostLink"].as_str().unwrap().to_owned();
    let of = |pod: &str| way(&document["items"], &format!("shop/{pod}")).unwrap();
    assert_eq!(of("cart"), ["uplink", "web0", &end("cart"), "shop/cart"]);
    assert_eq!(of("shop"), ["uplink", "web0", &end("shop"), "shop/shop"]);
    assert_eq!(of("direct"), ["uplink", "network p2p", &end("direct"), "shop/direct"]);
    assert_eq!(seen.host.link(&end("cart"))["master"], "web0");
    let tree = seen.text("graph");
    assert!(tree.contains("network web, masquerade") && tree.contains("limits: in 10M"), "{tree}");
    assert!(!tree.contains('✗'), "{tree}");
    seen.host.run("ip link set web0 down");
    let tree = seen.text("graph");
    assert!(tree.lines().any(|line| line.contains("web0") && line.ends_with("✗ down")), "{tree}");
    drop(outside);
}

/// Every language has every container, and what is wrong in red.
#[test]
fn each_language_shows_each_container_and_its_trouble() {
    let seen = Seen::new();
    seen.attach("web", "cart");
    seen.attach("p2p", "gone").remove_netns();
    fs::write("/var/lib/cni/results/a-<b>&\"-eth0", "").unwrap();
    for (language, red) in
        [("text", "✗ no namespace"), ("dot", "color=red"), ("mermaid", ":::trouble"), ("svg", "#c01c28")]
    {
        let text = seen.text(&format!("graph -o {language}"));
        for part in ["shop/cart", "shop/gone", "no namespace", "web0", red] {
            assert!(text.contains(part), "{language} lacks {part}: {text}");
        }
        assert!(language != "svg" || !text.contains("<b>"), "{text}");
    }
    let only = seen.text("graph --network web");
    assert!(only.contains("shop/cart") && !only.contains("shop/gone"), "{only}");
}
