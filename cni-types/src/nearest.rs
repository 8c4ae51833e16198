//! What somebody may have meant by a word that is misspelt.

/// The candidate that is most like `word`: at most one slip (a letter too many, missing, wrong, or swapped with its
/// neighbour) for three letters. `None` when nothing is that near; `word` itself is not meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = candidates.into_iter().filter_map(|candidate| {
        let length = word.chars().count().max(candidate.chars().count());
        let slips = slips(word, candidate);
        (0 < slips && slips * 3 <= length).then_some((slips, candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// The distance of optimal string alignment.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // For the prefixes of `a` that are two and one shorter than the current one: the distances to each prefix of `b`.
    let (mut older, mut old) = (Vec::new(), (0..=b.len()).collect::<Vec<_>>());
    for i in 1..=a.len() {
        let mut new = vec![i];
        for j in 1..=b.len() {
            let wrong = old[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = wrong.min(old[j] + 1).min(new[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                let swapped: usize = older[j - 2];
                best = best.min(swapped + 1);
            }
            new.push(best);
        }
        older = std::mem::replace(&mut old, new);
    }
    old[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_three_letters_is_forgiven() {
        let plugins = ["bridge", "bandwidth", "host-local", "ptp", "tap", "vlan", "ipvlan"];
        for (word, meant) in [
            ("brigde", Some("bridge")),
            ("Bridge", Some("bridge")),
            ("host-locla", Some("host-local")),
            ("hostlocal", Some("host-local")),
            ("pptp", Some("ptp")),
            ("vlam", Some("vlan")),
            ("tun", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, plugins), meant, "{word}");
        }
    }
}
