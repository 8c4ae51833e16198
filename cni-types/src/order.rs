//! Putting lists into order with little code: the standard library's sorting is 5 kB for each kind of item.

/// Puts `items` into the order of `is_before`; two that are not before one another stay as they are. Quick enough for a
/// hundred thousand.
pub fn sort_by<T>(items: &mut [T], is_before: impl Fn(&T, &T) -> bool) {
    let mut order = order(items.len(), &|a, b| is_before(&items[a], &items[b]));
    // Each cycle of places that exchange their items.
    for start in 0..items.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// Texts in order, each once, to be asked for by the thousand.
#[derive(Debug, Clone)]
pub struct Ordered(Vec<String>);

impl FromIterator<String> for Ordered {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        let mut texts: Vec<_> = texts.into_iter().collect();
        sort_and_dedup(&mut texts);
        Self(texts)
    }
}

impl Ordered {
    /// Whether `text` is one of them.
    pub fn has(&self, text: &str) -> bool {
        self.0.binary_search_by(|one| one.as_str().cmp(text)).is_ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Puts `items` into order and leaves one of those that are the same.
pub fn sort_and_dedup<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, |a, b| a < b);
    items.dedup();
}

/// The places 0 to `length` by the order of what is there: a heap, once for all kinds of items.
fn order(length: usize, is_before: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let is_before = |a: usize, b: usize| is_before(a, b) || (a < b && !is_before(b, a));
    let mut heap: Vec<_> = (0..length).collect();
    for root in (0..length / 2).rev() {
        sink(&mut heap, root, &is_before);
    }
    for end in (1..length).rev() {
        heap.swap(0, end);
        sink(&mut heap[..end], 0, &is_before);
    }
    heap
}

/// Moves an item down the heap until none below it is behind it.
fn sink(heap: &mut [usize], mut at: usize, is_before: &dyn Fn(usize, usize) -> bool) {
    while let Some(&left) = heap.get(2 * at + 1) {
        let right = heap.get(2 * at + 2).filter(|right| is_before(left, **right));
        let child = 2 * at + 1 + usize::from(right.is_some());
        if !is_before(heap[at], heap[child]) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_come_into_order_and_equals_stay() {
        for length in 0..200_u64 {
            for (factor, step) in [(7_919, 0), (0, 1), (0, 0)] {
                let mut items: Vec<_> =
                    (0..length).map(|n| ((n * factor + step * (n + 1)) % 101, n)).collect();
                let mut expected = items.clone();
                expected.sort_by_key(|(key, _)| *key);
                sort_by(&mut items, |(a, _), (b, _)| a < b);
                assert_eq!(items, expected);
                let mut keys: Vec<_> = items.iter().map(|(key, _)| 101 - key).collect();
                let mut expected = keys.clone();
                expected.sort_unstable();
                expected.dedup();
                sort_and_dedup(&mut keys);
                assert_eq!(keys, expected);
            }
        }
    }
}
