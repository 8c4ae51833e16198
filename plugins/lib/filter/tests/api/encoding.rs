//! The nftables encoders: what we send is what `nft` makes from the same text.

use crate::host::{assert_nft_would_make_the_same, attachment, cidr, enter, nft, ruleset};
use cni_filter::nft::{Batch, Chain, ChainState, Element, Layout, Set, Socket, Table, TableFamily};
use nix::errno::Errno;

const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "t" };

/// Adds tables, as text, to a batch.
fn made(texts: &[&str]) -> Batch {
    let mut batch = Batch::new();
    texts.iter().for_each(|text| batch.extend(Layout::read(text).unwrap().make()));
    batch
}

#[test]
fn elements_of_maps_and_ranges_read_as_meant() {
    if !enter(&["nft"]) {
        return;
    }
    let text = "table inet t {
        map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
        map ranges { type inet_proto . inet_service : ipv4_addr; flags interval; }
        chain own { comment \"a chain's comment\"; }
        chain nat { type nat hook prerouting priority -100; jump own; }
    }";
    let socket = Socket::open().unwrap();
    let (ports, ranges) = (Set { table: TABLE, name: "ports" }, Set { table: TABLE, name: "ranges" });
    let mut batch = made(&[text]);
    let target = [10, 1, 0, 5, 0, 80, 0, 0];
    let key = [6, 0, 0, 0, 0x1f, 0x90, 0, 0];
    batch.push(Element::new(&key).value(&target).comment("c1").add(ports));
    let range = Element::range(&[17, 0, 0, 0, 0x27, 0x10, 0, 0], &[17, 0, 0, 0, 0x4e, 0x20, 0, 0]);
    batch.push(range.value(&target[..4]).comment("c2").add(ranges));
    socket.commit(&batch, None).unwrap();
    let text = ruleset();
    for line in [
        "elements = { tcp . 8080 comment \"c1\" : 10.1.0.5 . 80 }",
        "elements = { udp . 10000-20000 comment \"c2\" : 10.1.0.5 }",
        "comment \"a chain's comment\"",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let chain = |name| Chain { table: TABLE, name };
    let answer = socket.ask(&[chain("own").find(), chain("none").find()]).unwrap();
    let state = ChainState::read(answer[0].as_deref().unwrap()).unwrap();
    assert_eq!((state.uses, state.comment.as_deref()), (1, Some("a chain's comment")));
    assert_eq!(answer[1], None);
    let answer = socket.ask(&[Element::new(&key).find(ports)]).unwrap().remove(0).unwrap();
    let element = Element::read(&answer).next().unwrap();
    assert_eq!((element.value, element.comment), (Some(&target[..]), Some("c1")));
    assert_nft_would_make_the_same();
}

#[test]
fn our_layouts_are_byte_for_byte_what_nft_would_make() {
    if !enter(&["nft"]) {
        return;
    }
    let filter = cni_filter::Filter::new();
    let id = attachment("net", "c1", "eth0");
    let backend = cni_filter::masquerade::Backend::Nftables;
    let ips = [
        "10.1.0.5/16",
        "10.1.0.6/31",
        "10.1.0.7/32",
        "10.0.0.1/0",
        "fd00::5/64",
        "fd00::6/128",
        "fd00::7/57",
    ];
    cni_filter::masquerade::add(&filter, backend, &id, &ips.map(cidr)).unwrap();
    let (port, mac) = (cni_types::IfName::new("veth0").unwrap(), "02:00:00:00:00:01".parse().unwrap());
    cni_filter::spoof::add(&filter, &id, &port, mac).unwrap();
    assert_nft_would_make_the_same();
}

#[test]
fn a_batch_happens_whole_or_not_at_all_and_says_what_failed() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let mut batch = made(&["table inet t { }"]);
    batch.push(Chain { table: TABLE, name: "none" }.remove());
    let refused = socket.commit(&batch, None).unwrap_err();
    assert_eq!(refused.errno, Errno::ENOENT);
    assert_eq!(
        cni_types::Error::from(refused).to_string(),
        "nftables cannot delete chain inet t none: ENOENT: No such file or directory"
    );
    assert_eq!(ruleset(), "");
    let generation = socket.generation().unwrap();
    let batch = made(&["table inet t { }"]);
    socket.try_out(&batch).unwrap();
    assert_eq!(ruleset(), "");
    socket.commit(&batch, Some(generation)).unwrap();
    assert_eq!(socket.commit(&batch, Some(generation)).unwrap_err().errno, Errno::ERESTART);
    assert_eq!(ruleset(), "table inet t {\n}\n");
    let mut batch = Batch::new();
    batch.push(TABLE.remove());
    socket.commit(&batch, None).unwrap();
    assert_eq!(ruleset(), "");
}

#[test]
fn a_decision_is_made_again_when_the_ruleset_has_changed_under_it() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let mut decisions = 0;
    socket
        .transact(|_| {
            decisions += 1;
            if decisions < 3 {
                nft(&format!("add table ip other{decisions}"));
            }
            Ok(made(&[&format!("table inet t{decisions} {{ }}")]))
        })
        .unwrap();
    assert_eq!(ruleset(), "table ip other1 {\n}\ntable ip other2 {\n}\ntable inet t3 {\n}\n");
}

#[test]
fn a_batch_of_ten_thousand_elements_fits() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let set = Set { table: TABLE, name: "s" };
    let mut batch = made(&["table inet t { set s { type ipv4_addr; } }"]);
    let element = |n: u32| Element::new(&(0x0a01_0000 + n).to_be_bytes()).comment("an owner");
    batch.extend((0..10_000).map(|n| element(n).add(set)));
    socket.commit(&batch, None).unwrap();
    let listed = socket.dump(&Element::list(set)).unwrap();
    assert_eq!(listed.iter().map(|answer| Element::read(answer).count()).sum::<usize>(), 10_000);
    // Each looked up: an object per request.
    let keys: Vec<_> = (0..2000).map(|n| element(n).find(set)).collect();
    assert_eq!(socket.ask(&keys).unwrap().iter().flatten().count(), 2000);
    // All of them refused: as many answers as messages.
    let mut batch = Batch::new();
    batch.extend((0..10_000).map(|n| element(n).add(set)));
    assert_eq!(socket.commit(&batch, None).unwrap_err().errno, Errno::EEXIST);
    socket.generation().unwrap();
    // Few enough that the buffers stay as they are, and more refusals than they have room for.
    let mut batch = Batch::new();
    batch.extend((0..320).map(|n| Chain { table: TABLE, name: &format!("none{n}") }.remove()));
    let refused = socket.commit(&batch, None).unwrap_err();
    assert_eq!((refused.errno, &*refused.doing), (Errno::ENOENT, "delete chain inet t none0"));
    socket.generation().unwrap();
}
