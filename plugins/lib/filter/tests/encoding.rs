//! The nftables encoders: what we send is what `nft` makes from the same text.
#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod host;

use cni_filter::nft::{
    Batch, Chain, ChainState, Compare, DataType, Element, Expr, FibResult, Hook, Meta, PayloadBase, Register,
    Rule, Set, Socket, Table, TableFamily, Verdict,
};
use cni_types::Family;
use host::{assert_nft_would_make_the_same, attachment, cidr, enter, nft, ruleset};
use nix::errno::Errno;

const TABLE: Table<'_> = Table { family: TableFamily::Ipv4, name: "t" };
const NAT: Chain<'_> = Chain { table: TABLE, name: "nat" };

/// Loads the protocol and the destination port as the key of a map.
fn port_key() -> [Expr; 2] {
    [Expr::meta(Meta::L4Proto, Register::R1), Expr::payload(PayloadBase::Transport, 2, 2, Register::word(1))]
}

#[test]
fn maps_of_ports_and_ranges_translate_destinations() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let (ports, ranges) = (Set { table: TABLE, name: "ports" }, Set { table: TABLE, name: "ranges" });
    let port = [DataType::InetProto, DataType::InetService];
    let local = [
        Expr::fib_daddr(FibResult::AddrType, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &2u32.to_ne_bytes()),
        Expr::counter(),
    ];
    let dnat = |map: &str, id, port| {
        let mut rule = local.to_vec();
        rule.extend(port_key());
        rule.push(Expr::map(map, id, Register::R1, Register::R1));
        rule.push(Expr::dnat(Family::V4, Register::R1, port));
        Rule::append(NAT, &rule, Some("a comment"))
    };
    let mut batch = Batch::new();
    batch.extend([TABLE.ensure(), NAT.ensure_base(Hook { kind: "nat", number: 0, priority: -100 })]);
    batch.push(ports.ensure_map(1, &port, &[DataType::Ipv4Addr, DataType::InetService], false));
    batch.push(ranges.ensure_map(2, &port, &[DataType::Ipv4Addr], true));
    batch.extend([dnat("ports", 1, Some(Register::word(1))), dnat("ranges", 2, None)]);
    let target = [10, 1, 0, 5, 0, 80, 0, 0];
    batch.push(Element::new(&[6, 0, 0, 0, 0x1f, 0x90, 0, 0]).value(&target).comment("c1").add(ports));
    let range = Element::range(&[17, 0, 0, 0, 0x27, 0x10, 0, 0], &[17, 0, 0, 0, 0x4e, 0x20, 0, 0]);
    batch.push(range.value(&target[..4]).comment("c2").add(ranges));
    socket.commit(&batch, None).unwrap();
    assert_eq!(
        ruleset(),
        r#"table ip t {
	map ports {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8080 comment "c1" : 10.1.0.5 . 80 }
	}

	map ranges {
		type inet_proto . inet_service : ipv4_addr
		flags interval
		elements = { udp . 10000-20000 comment "c2" : 10.1.0.5 }
	}

	chain nat {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter dnat ip to meta l4proto . th dport map @ports comment "a comment"
		fib daddr type local counter dnat to meta l4proto . th dport map @ranges comment "a comment"
	}
}
"#
    );
}

#[test]
fn verdict_maps_intervals_and_jumps_read_as_meant() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let table = Table { family: TableFamily::Inet, name: "t" };
    let (base, own) = (Chain { table, name: "base" }, Chain { table, name: "own-10.1.0.0/16" });
    let (map, set) = (Set { table, name: "pods" }, Set { table, name: "nets" });
    let saddr = [
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[2]),
        Expr::payload(PayloadBase::Network, 12, 4, Register::R1),
    ];
    let with = |last: &[Expr]| [&saddr[..], last].concat();
    let mut batch = Batch::new();
    batch.extend([table.ensure(), base.ensure_base(Hook { kind: "filter", number: 2, priority: 0 })]);
    batch.push(own.ensure(Some("a chain's comment")));
    batch.push(map.ensure_verdict_map(1, &[DataType::Ipv4Addr], false));
    batch.push(set.ensure(2, &[DataType::Ipv4Addr], true));
    batch.push(Rule::append(base, &with(&[Expr::verdict_map("pods", 1, Register::R1)]), None));
    batch.push(Rule::append(
        base,
        &with(&[Expr::lookup("nets", 2, Register::R1), Expr::verdict(Verdict::Drop)]),
        None,
    ));
    batch.push(Rule::append(
        base,
        &with(&[Expr::not_in("nets", 2, Register::R1), Expr::verdict(Verdict::Goto(own.name))]),
        None,
    ));
    batch.push(Rule::append(
        own,
        &with(&[Expr::cmp(Register::R1, Compare::NotEqual, &[10, 1, 0, 1]), Expr::verdict(Verdict::Accept)]),
        None,
    ));
    batch.push(Element::new(&[10, 1, 0, 5]).verdict(Verdict::Jump(own.name)).comment("me").add(map));
    batch.push(Element::interval_end(&[0; 4]).add(set));
    batch.push(Element::new(&[192, 0, 2, 0]).add(set));
    batch.push(Element::interval_end(&[192, 0, 3, 0]).add(set));
    socket.commit(&batch, None).unwrap();
    let text = ruleset();
    for line in [
        "elements = { 10.1.0.5 comment \"me\" : jump own-10.1.0.0/16 }",
        "elements = { 192.0.2.0/24 }",
        "comment \"a chain's comment\"",
        "ip saddr vmap @pods",
        "ip saddr @nets drop",
        "ip saddr != @nets goto own-10.1.0.0/16",
        "ip saddr != 10.1.0.1 accept",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let answer = socket.ask(&[own.find(), Chain { table, name: "none" }.find()]).unwrap();
    let state = ChainState::read(answer[0].as_deref().unwrap()).unwrap();
    assert_eq!((state.uses, state.comment.as_deref()), (3, Some("a chain's comment")));
    assert_eq!(answer[1], None);
    let answer = socket.ask(&[Element::new(&[10, 1, 0, 5]).find(map)]).unwrap().remove(0).unwrap();
    let element = Element::read(&answer).next().unwrap();
    assert_eq!((element.verdict, element.comment), (Some(Verdict::Jump(own.name)), Some("me")));
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
    let mut batch = Batch::new();
    batch.push(TABLE.ensure());
    batch.push(Chain { table: TABLE, name: "none" }.remove());
    let refused = socket.commit(&batch, None).unwrap_err();
    assert_eq!(refused.errno, Errno::ENOENT);
    assert_eq!(
        cni_types::Error::from(refused).to_string(),
        "nftables cannot delete chain ip t none: ENOENT: No such file or directory"
    );
    assert_eq!(ruleset(), "");
    let generation = socket.generation().unwrap();
    let mut batch = Batch::new();
    batch.push(TABLE.ensure());
    socket.try_out(&batch).unwrap();
    assert_eq!(ruleset(), "");
    socket.commit(&batch, Some(generation)).unwrap();
    assert_eq!(socket.commit(&batch, Some(generation)).unwrap_err().errno, Errno::ERESTART);
    assert_eq!(ruleset(), "table ip t {\n}\n");
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
            let mut batch = Batch::new();
            batch.push(Table { name: &format!("t{decisions}"), ..TABLE }.ensure());
            Ok(batch)
        })
        .unwrap();
    assert_eq!(ruleset(), "table ip other1 {\n}\ntable ip other2 {\n}\ntable ip t3 {\n}\n");
}

#[test]
fn a_batch_of_ten_thousand_elements_fits() {
    if !enter(&["nft"]) {
        return;
    }
    let socket = Socket::open().unwrap();
    let set = Set { table: TABLE, name: "s" };
    let mut batch = Batch::new();
    batch.extend([TABLE.ensure(), set.ensure(1, &[DataType::Ipv4Addr], false)]);
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
    assert_eq!((refused.errno, &*refused.doing), (Errno::ENOENT, "delete chain ip t none0"));
    socket.generation().unwrap();
}
