//! resolv.conf(5), as far as a CNI result can say it.

use cni_types::Dns;

/// Reads the text of a resolver configuration. `domain` keeps the last value; the other words add up. Comments
/// (`#`, `;`), lines of one word and unknown words are skipped.
pub(crate) fn parse(text: &str) -> Dns {
    let mut dns = Dns::default();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let (Some(keyword), Some(first)) = (words.next(), words.next()) else { continue };
        let rest = words.map(str::to_owned);
        match keyword {
            "nameserver" => dns.nameservers.push(first.to_owned()),
            "domain" => first.clone_into(&mut dns.domain),
            "search" => dns.search.extend([first.to_owned()].into_iter().chain(rest)),
            "options" => dns.options.extend([first.to_owned()].into_iter().chain(rest)),
            _ => {}
        }
    }
    dns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_add_up_and_the_last_domain_wins() {
        let text = "; c\n  # nameserver 9.9.9.9\nnameserver 192.0.2.1 x\n  nameserver 192.0.2.2\ndomain a\n\
                    domain b.example\nsearch one two\nsearch three\noptions ndots:2 debug\noptions rotate\n\
                    sortlist 1\nnameserver\n";
        let dns = parse(text);
        assert_eq!(dns.nameservers, ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(dns.domain, "b.example");
        assert_eq!(dns.search, ["one", "two", "three"]);
        assert_eq!(dns.options, ["ndots:2", "debug", "rotate"]);
        assert!(parse("").is_empty());
    }
}
