//! The conditions of a rule, compared by what they mean: iptables writes them back in other words than it was given.

use std::borrow::Cow;

use super::Addresses;
use super::value::same;

/// One condition, such as `! --ctstate NEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition<'a> {
    negated: bool,
    /// In its short form.
    option: Cow<'a, str>,
    values: Vec<Cow<'a, str>>,
}

/// Options with another name, and the one iptables-save writes.
const NAMES: [(&str, &str); 15] = [
    ("--source", "-s"),
    ("--src", "-s"),
    ("--destination", "-d"),
    ("--dst", "-d"),
    ("--in-interface", "-i"),
    ("--out-interface", "-o"),
    ("--protocol", "-p"),
    ("--proto", "-p"),
    ("--source-port", "--sport"),
    ("--destination-port", "--dport"),
    ("--source-ports", "--sports"),
    ("--destination-ports", "--dports"),
    ("--match", "-m"),
    ("--jump", "-j"),
    ("--goto", "-g"),
];
/// Options whose values are words of iptables, in any case.
const ANY_CASE: [&str; 9] = [
    "-p",
    "--ctstate",
    "--state",
    "--ctstatus",
    "--src-type",
    "--dst-type",
    "--mac-source",
    "--tcp-flags",
    "--pkt-type",
];

impl<'a> Condition<'a> {
    /// One with an option in its short form.
    pub(super) fn new(negated: bool, option: &'static str, value: String) -> Self {
        Self { negated, option: option.into(), values: vec![value.into()] }
    }

    /// Reads the words of a rule, without its chain. Loading a match (`-m`) is no condition.
    pub(super) fn read(words: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let mut negated = false;
        for word in words {
            if word == "!" {
                negated = true;
            } else if word.starts_with('-') {
                let option = NAMES.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| short);
                let negated = std::mem::take(&mut negated);
                found.push(Self { negated, option: option.into(), values: Vec::new() });
            } else if let Some(last) = found.last_mut() {
                last.values.push(word.into());
            }
        }
        for condition in &mut found {
            if condition.option == "--syn" {
                condition.option = "--tcp-flags".into();
                condition.values = vec!["FIN,SYN,RST,ACK".into(), "SYN".into()];
            }
        }
        found.retain(|condition| condition.option != "-m");
        found
    }

    /// As [`Self::read`], for each of the rules that iptables makes of these words: one for every address of a list
    /// (`-s a,b`), and with two lists for every pair.
    pub(super) fn read_each(words: impl IntoIterator<Item = &'a str>) -> Vec<Vec<Self>> {
        let mut rules = vec![Vec::new()];
        for condition in Self::read(words) {
            let each = condition.each();
            let with_each = |rule: &Vec<Self>| -> Vec<Vec<Self>> {
                each.iter().map(|one| [&rule[..], std::slice::from_ref(one)].concat()).collect()
            };
            rules = rules.iter().flat_map(with_each).collect();
        }
        rules
    }

    /// One for each address, if it lists addresses to match.
    fn each(self) -> Vec<Self> {
        match &self.values[..] {
            [list] if !self.negated && ["-s", "-d"].contains(&&*self.option) => {
                let each = list.split(',').map(|one| one.to_owned().into());
                each.map(|one| Self { values: vec![one], ..self.clone() }).collect()
            }
            _ => vec![self],
        }
    }

    /// Whether both mean the same.
    pub(super) fn means(&self, other: &Condition<'_>) -> bool {
        let fold = |value: &str| {
            if ANY_CASE.contains(&&*self.option) { value.to_ascii_lowercase() } else { value.to_owned() }
        };
        self.negated == other.negated
            && self.option == other.option
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(|(mine, theirs)| same(&fold(mine), &fold(theirs)))
            || self.matches_all() && other.matches_all()
    }

    /// Whether it has this option.
    pub(super) fn has_option(&self, option: &str) -> bool {
        self.option == option
    }

    /// The same, not negated.
    pub(super) fn is(&self, option: &str) -> bool {
        self.has_option(option) && !self.negated
    }

    /// Its first value.
    pub(super) fn value(&self) -> Option<&str> {
        self.values.first().map(AsRef::as_ref)
    }

    pub(super) fn into_owned(self) -> Condition<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Condition {
            negated: self.negated,
            option: owned(self.option),
            values: self.values.into_iter().map(owned).collect(),
        }
    }

    /// Whether every packet of a family satisfies it: iptables does not write such a one back.
    pub(super) fn matches_all(&self) -> bool {
        let all =
            |text: &str| Addresses::parse(text).and_then(Addresses::network).is_some_and(|n| n.is_default());
        let [value] = &self.values[..] else { return false };
        !self.negated
            && match &*self.option {
                "-s" | "-d" => all(value),
                "-i" | "-o" => value == "+",
                "-p" => value == "all" || value == "0",
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Condition<'_>> {
        Condition::read(text.split(' '))
    }

    /// On the right what iptables-save writes of the left.
    #[test]
    fn conditions_are_the_same_in_iptables_own_words() {
        for (given, saved) in [
            ("-d 192.0.2.9/24", "-d 192.0.2.0/24"),
            ("--destination 192.0.2.1/255.255.255.255", "-d 192.0.2.1/32"),
            ("! --src fd00:0::1", "! -s fd00::1/128"),
            ("-m iprange --dst-range 198.19.254.254", "--dst-range 198.19.254.254-198.19.254.254"),
            ("-m mark --mark 16", "-m mark --mark 0x10"),
            ("-m mark --mark 0x10/255", "-m mark --mark 0x10/0xff"),
            ("-m conntrack --ctstate established,RELATED", "-m conntrack --ctstate RELATED,ESTABLISHED"),
            ("--sport 1024:", "-m tcp --sport 1024:65535"),
            ("-m limit --limit 5/second", "-m limit --limit 5/sec"),
            ("--syn", "--tcp-flags FIN,SYN,RST,ACK SYN"),
            ("-m mac --mac-source aa:bb:cc:dd:ee:0f", "-m mac --mac-source AA:BB:CC:DD:EE:0F"),
            ("-m set --match-set x src,dst", "-m set --match-set x src,dst"),
        ] {
            assert!(read(given)[0].means(&read(saved)[0]), "{given}");
        }
        for (one, other) in [
            ("-s 10.0.0.1", "-d 10.0.0.1"),
            ("-s 10.0.0.1", "! -s 10.0.0.1"),
            ("-i eth0", "-i ETH0"),
            ("--mark 1", "--mark 0x1/0x1"),
            ("--dport 80", "--dport 81"),
            ("--limit 5/sec", "--limit 5/min"),
            ("--match-set x src", "--match-set y src"),
            ("-s 10.0.0.1,10.0.0.2", "-s 10.0.0.2"),
            ("--sports 1,1", "--sports 1,2"),
        ] {
            assert!(!read(one)[0].means(&read(other)[0]), "{one}");
        }
        let each =
            Condition::read_each("-p tcp --src 10.0.0.1,10.0.0.2 -d 10.1/16,fd00::1 ! -s 1,2".split(' '));
        let rule = |from: &str, to: &str| {
            let text = format!("-p tcp -s {from} -d {to} ! -s 1,2");
            each.iter()
                .filter(|rule| rule.iter().zip(read(&text)).all(|(one, other)| one.means(&other)))
                .count()
        };
        assert_eq!((each.len(), rule("10.0.0.2", "10.1/16"), rule("10.0.0.1", "fd00::1")), (4, 1, 1));
        assert!(read("-s 1.2.3.4/0")[0].matches_all() && !read("! -s 0/0")[0].matches_all());
    }
}
