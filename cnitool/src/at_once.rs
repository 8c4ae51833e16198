//! The same for many things, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What `act` makes of each item, in their order. `workers` threads take one after the other; each of them starts with
/// what `ready` gives it, and ends when none is left.
pub(crate) fn at_once_with<T: Sync, W, R: Send>(
    workers: usize,
    items: &[T],
    ready: impl Fn() -> W + Sync,
    act: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                let mut worker = ready();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = act(&mut worker, item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same for workers that need nothing.
pub(crate) fn at_once<T: Sync, R: Send>(workers: usize, items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    at_once_with(workers, items, || (), |(), item| act(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_however_many_work() {
        let items: Vec<usize> = (0..100).collect();
        for workers in [1, 3, 200] {
            assert_eq!(
                at_once(workers, &items, |item| item * 2),
                items.iter().map(|i| i * 2).collect::<Vec<_>>()
            );
        }
        assert_eq!(at_once(4, &[0; 0], |item| *item), [0; 0]);
    }
}
