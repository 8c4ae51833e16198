//! Layouts: `nft` reads our texts as we do.

use cni_filter::nft::{Batch, Layout, Socket, words};
use cni_tests::{Host, Place, assert_as_nft_makes_it};

fn make(text: &str) {
    let mut batch = Batch::new();
    batch.extend(Layout::read(text).unwrap().make());
    Socket::open().unwrap().commit(&batch, None).unwrap();
}

/// Makes it by what our messages say in the words of `nft`.
fn say(host: &Host, text: &str) {
    let steps = Layout::read(text).unwrap().make();
    let said = steps.iter().map(|step| {
        let said = words(step.kind, step.attrs.as_bytes(), &|_| None);
        said.unwrap_or_else(|| panic!("{}: no words for {}", step.doing, text)) + "\n"
    });
    host.feed("nft -f -", &said.collect::<String>());
}

/// That `nft` makes the same of the text as we do, and of what we say about it.
fn agree(text: &str) {
    assert_as_nft_makes_it(text, |_| make(text));
    assert_as_nft_makes_it(text, |host| say(host, text));
}

/// A table in which chain `c` has this rule.
fn with(family: &str, rule: &str) -> String {
    format!(
        "table {family} t {{
            set s {{ type ipv4_addr; }}
            set pairs {{ type ipv6_addr . ipv6_addr; }}
            set names {{ type ifname . ifname; }}
            map m {{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }}
            map r {{ type inet_proto . inet_service : ipv6_addr; flags interval; }}
            chain other {{ comment \"x; y\"; }}
            chain c {{
                {rule}
            }}
        }}"
    )
}

#[test]
fn each_rule_is_what_nft_makes_of_it() {
    for rule in [
        "accept\n drop\n return\n jump other",
        "ip saddr 10.1.2.3 ip daddr 10.0.0.0/8 accept",
        "ip saddr 10.1.2.0/23 drop; ip saddr 0.0.0.0/0 drop; ip daddr != 10.1.2.3/32 accept",
        "ip6 saddr ::1 ip6 daddr fd00::/57 drop; ip6 saddr != fd00::/64 drop; ip6 daddr ::/0 return",
        "ip saddr @s accept; ip daddr != @s drop",
        "ip6 saddr . ip6 daddr & ffff:ffff:: != @pairs drop",
        "iifname . oifname @names drop",
        "iifname \"lo\" drop; oifname != \"veth0123456789a\" accept; iifname \"br*\" return",
        "meta mark 7 drop; meta mark != 0x10000 drop; meta mark 4294967295 drop",
        "meta nfproto ipv4 accept; meta nfproto ipv6 ip6 saddr ::1 drop; meta nfproto != ipv6 ip saddr @s drop",
        "fib daddr type local jump other; fib daddr type != local drop",
        "ct state established,related accept; ct state related drop",
        "ct status dnat drop",
        "accept comment \"by {a}; b # c\"",
    ] {
        agree(&with("inet", rule));
    }
    for rule in ["ether saddr 02:00:00:00:00:01 return; drop", "iifname \"veth0\" jump other"] {
        agree(&with("bridge", rule));
    }
    for (hook, rule) in [
        ("prerouting priority -90", "meta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @m"),
        ("output priority 5", "meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @r"),
        ("postrouting priority 100", "ip saddr @s masquerade"),
    ] {
        agree(&with("inet", &format!("type nat hook {hook}\n {rule}")));
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    for rule in [
        "ip",
        "ip saddr",
        "ip saddr accept",
        "ip saddr 10.0.0.0/33 drop",
        "ip saddr ::1 drop",
        "ip saddr 10.0.0.1 ip6 saddr ::1 drop",
        "ip saddr . ip daddr 10.0.0.1 drop",
        "ip saddr & x @s drop",
        "iifname",
        "meta mark x",
        "meta nfproto ipx",
        "meta l4proto 6",
        "ct state new",
        "ct state != established",
        "fib daddr type unicast",
        "dnat ip to ip daddr map @s",
        "dnat ip to ip daddr map @nothing",
        "dnat to 10.0.0.1",
        "jump",
        "counter",
        "accept comment x",
        "accept comment \"x",
        "type nat hook nowhere priority 0",
        "type route hook output priority 0",
        "type nat hook output priority x",
    ] {
        assert!(Layout::read(&with("inet", rule)).is_err(), "{rule}");
    }
    assert!(Layout::read(&with("bridge", "ip saddr 10.0.0.1 drop")).is_err());
    assert!(Layout::read(&with("ip", "accept")).is_err());
    let text = with("inet", "ip saddr . ip saddr & 255.255.0.0 @s jump other comment \"y\"");
    assert!(Layout::read(&text).is_ok());
    let whole = text.trim_end().len();
    (0..whole).for_each(|end| assert!(Layout::read(&text[..end]).is_err(), "{}", &text[..end]));
}
