//! Whose things GC takes away.

use cni_types::{NetworkName, Stale, network_tag_prefix};

use crate::names::id;

#[test]
fn those_of_the_network_that_are_not_valid() {
    let network = NetworkName::new("pods").unwrap();
    let valid =
        [id("pods", "b", "eth0"), id("pods", "a", "eth0"), id("pods", "a", "net1"), id("other", "c", "eth0")];
    let stale = Stale::new(&network, &valid);
    for one in &valid[..3] {
        assert!(!stale.includes(&one.tag()) && !stale.includes(&one.tag_prefix()), "{one:?}");
    }
    // Of a valid container another interface, another container, and one that is valid in another network.
    for one in [id("pods", "b", "net1"), id("pods", "d", "eth0"), id("pods", "c", "eth0")] {
        assert!(stale.includes(&one.tag()) && stale.includes(&one.tag_prefix()), "{one:?}");
        assert!(Stale::all(&network).includes(&one.tag()));
    }
    // Others', and what only looks like ours.
    let start = network_tag_prefix(&network);
    for foreign in ["", "pods", &id("other", "d", "eth0").tag(), &start, &format!("{start}x")] {
        assert!(!stale.includes(foreign) && !Stale::all(&network).includes(foreign), "{foreign}");
    }
    assert!(stale.includes(&format!("{start}-short")), "of the network, and nobody's that is valid");
}

/// Each look went through all the valid, and all were hashed before the first.
#[test]
fn as_many_owners_as_valid_attachments_are_asked_about() {
    let network = NetworkName::new("pods").unwrap();
    let valid: Vec<_> = (0..10_000).map(|n| id("pods", &format!("c{n}"), "eth0")).collect();
    let owners: Vec<_> = (0..20_000).map(|n| id("pods", &format!("c{n}"), "eth0").tag_prefix()).collect();
    let stale = Stale::new(&network, &valid);
    assert_eq!(owners.iter().filter(|owner| stale.includes(owner)).count(), 10_000);
}
