//! `nft` as the judge of what we make of its language.

use crate::{Host, Place, only_in};

/// What the kernel has: the objects without their handles, and the expressions of every rule.
fn ruleset(host: &Host) -> [Vec<String>; 2] {
    let listed: serde_json::Value = host.json("nft -j list ruleset");
    let objects = listed["nftables"].as_array().into_iter().flatten().cloned().map(|mut object| {
        let fields = object.as_object_mut().and_then(|object| object.values_mut().next());
        fields.and_then(serde_json::Value::as_object_mut).map(|fields| fields.remove("handle"));
        object.to_string()
    });
    let decoded = host.run("nft --debug=netlink list ruleset");
    let end = decoded.find("\ntable ").unwrap_or(decoded.len());
    let mut expressions: Vec<String> = decoded[..end]
        .lines()
        .map(|line| line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned())
        // In a key of ranges nft 1.0 swaps the bytes of a number that has one: that does nothing.
        .filter(|line| !line.is_empty() && !line.ends_with(", 2, 1) ]"))
        .collect();
    expressions.sort();
    [objects.collect(), expressions]
}

/// `make` leaves the kernel as `nft -f` does with this text, to the byte.
pub fn assert_as_nft_makes_it(text: &str, make: impl Fn(&Host) + Sync) {
    let theirs = Host::fresh(|host| {
        host.feed("nft -f -", text);
        ruleset(host)
    });
    let ours = Host::fresh(|host| {
        make(host);
        ruleset(host)
    });
    assert!(theirs[0].len() > 2, "{text}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(only_in(ours, theirs), only_in(theirs, ours), "{text}");
        assert_eq!(ours, theirs, "{text}");
    }
}
