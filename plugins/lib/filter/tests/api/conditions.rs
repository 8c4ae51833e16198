//! Conditions of iptables rules, given to iptables in one form and read back in its own.

use crate::host::{enter, run, use_legacy_iptables};
use cni_filter::iptables::{Meaning, list};
use cni_types::Family;

const TOOLS: &[&str] = &["iptables-restore", "iptables-legacy-restore", "ip6tables-save"];

/// Each is other text to iptables-save, or to one of its releases.
const FORMS: [&str; 22] = [
    "-s 192.0.2.9/24",
    "-d 192.0.2.1/255.255.255.255",
    "! -d 192.0.2.1",
    "-d 10.1/16",
    "-s 10.0.0.1/255.0.0.255",
    "-s 0.0.0.0/0 -d 192.0.2.1",
    "--src 192.0.2.1 --in-interface eth+",
    "-m iprange --dst-range 198.19.254.254",
    "-m iprange ! --src-range 198.19.254.1-198.19.254.9",
    "-m mark --mark 16",
    "-m mark ! --mark 0x10/255",
    "-m conntrack --ctstate established,related",
    "-p tcp -m tcp --source-port 1024:",
    "-p tcp --syn",
    "-p udp -m multiport --destination-ports 53,4789:4790",
    "-m limit --limit 5/second",
    "-m mac --mac-source aa:bb:cc:dd:ee:0f",
    "-m addrtype --dst-type local",
    "-s 192.0.2.1,192.0.2.2",
    "--src 192.0.2.1,198.51.100.0/24 -d 10.0.0.1,10.0.0.3/31",
    "-s 192.0.2.1,192.0.2.9/0",
    "-d 10.0.0.2,10.0.0.3,10.0.0.4 -p tcp",
];

fn every_form_is_recognised() {
    let table = || list(Family::V4, false, "mangle").unwrap();
    let refused: Vec<&str> = FORMS
        .into_iter()
        .filter(|form| {
            let words: Vec<&str> = form.split(' ').collect();
            let rules = Meaning::each_of_words(words.iter().copied());
            let all = || {
                let table = table();
                rules.iter().all(|rule| table.rules().any(|line| line.meaning().is(rule)))
            };
            let add = |words: &[&str]| {
                run("iptables", &[&["-t", "mangle", "-F"][..]].concat());
                run("iptables", &[&["-t", "mangle", "-A", "PREROUTING"][..], words].concat());
            };
            add(&["-s", "203.0.113.7"]);
            let other = all();
            add(&words);
            let made = all() && table().rules().count() == rules.len();
            // Every one of several counts.
            run("iptables", &["-t", "mangle", "-D", "PREROUTING", "1"]);
            other || !made || all()
        })
        .collect();
    assert_eq!(refused, [""; 0]);
}

#[test]
fn iptables_own_words_mean_what_was_given() {
    if enter(TOOLS) {
        every_form_is_recognised();
    }
    if enter(TOOLS) {
        use_legacy_iptables();
        every_form_is_recognised();
    }
}
