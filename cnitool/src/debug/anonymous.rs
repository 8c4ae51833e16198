//! A text without addresses that say whose it is: each becomes a word, the same one everywhere.

use std::collections::HashMap;
use std::net::IpAddr;

/// The text with every IP and MAC address in it replaced. What belongs to nobody stays.
pub(super) fn text(text: &str) -> String {
    let mut names = HashMap::new();
    let is_of_it = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let (mut out, mut word) = (String::with_capacity(text.len()), String::new());
    // A letter before or behind makes it another word.
    let mut before = ' ';
    for c in text.chars().chain(['\n']) {
        if is_of_it(c) && (!word.is_empty() || !before.is_alphanumeric()) {
            word.push(c);
            continue;
        }
        if c.is_alphanumeric() {
            out.push_str(&word);
        } else {
            out.push_str(&replaced(&word, &mut names));
        }
        word.clear();
        out.push(c);
        before = c;
    }
    out.pop();
    out
}

fn replaced(word: &str, names: &mut HashMap<String, String>) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let Some(kind) = kind(bare) else { return word.to_owned() };
    let number = names.len() + 1;
    let name = names.entry(bare.to_owned()).or_insert_with(|| format!("{kind}-{number}"));
    format!("{name}{}", &word[bare.len()..])
}

fn kind(word: &str) -> Option<&'static str> {
    let bytes: Vec<&str> = word.split(':').collect();
    if bytes.len() == 6 && bytes.iter().all(|byte| byte.len() == 2) {
        return Some("mac");
    }
    match word.parse::<IpAddr>().ok()? {
        ip if ip.is_loopback() || ip.is_unspecified() => None,
        IpAddr::V4(_) => Some("ip"),
        IpAddr::V6(_) => Some("ip6"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_are_words_and_the_rest_stays() {
        let text = "10.1.2.3/24 via 10.1.2.3, fd00::1: de:ad:be:ef:00:01 v2.0.0 at 07:18:46.361, 127.0.0.1 ::1 eth0 \
                    abc 0.0.0.0/0 [fd00::2]:80 beef 10.1.2.3.";
        let without = "ip-1/24 via ip-1, ip6-2: mac-3 v2.0.0 at 07:18:46.361, 127.0.0.1 ::1 eth0 abc 0.0.0.0/0 [ip6-4]:80 \
                       beef ip-1.";
        assert_eq!(super::text(text), without);
    }
}
