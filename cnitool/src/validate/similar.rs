//! Words that were meant.

use cni_types::nearest;

/// The word that was meant: but for `_`, `-` and case, a slip or two, or what is left out at its end.
pub(crate) fn similar<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let plain = |word: &str| word.replace(['_', '-'], "").to_lowercase();
    let this = plain(word);
    let mut all = candidates.clone();
    let same = all.find(|candidate| plain(candidate) == this);
    let near = || nearest(word, candidates.clone());
    let longer = || {
        let mut all = candidates.clone().filter(|_| this.len() >= 4);
        all.find(|candidate| {
            let candidate = plain(candidate);
            candidate.starts_with(&this) || candidate.len() >= 4 && this.starts_with(&candidate)
        })
    };
    let shorter = || {
        let mut all = candidates.clone();
        all.find(|candidate| {
            let candidate = plain(candidate);
            candidate.len() >= 5 && candidate.len() * 2 >= this.len() && is_within(&candidate, &this)
        })
    };
    same.or_else(near).or_else(longer).or_else(shorter)
}

/// Whether the letters of `short` are in `long`, in order.
fn is_within(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().all(|wanted| letters.any(|letter| letter == wanted))
}
