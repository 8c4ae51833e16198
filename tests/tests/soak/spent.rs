//! How long the verbs took.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most that a verb of a chain may take, with 64 at once: far above anything expected.
const BOUND: Duration = Duration::from_secs(60);

/// Times by verb, and those of ADDs that nothing disturbed, by network, in the order of the pods.
#[derive(Default)]
pub(crate) struct Spent {
    longest: Mutex<BTreeMap<&'static str, Duration>>,
    adds: Mutex<Vec<(usize, usize, Duration)>>,
    kills: AtomicUsize,
}

impl Spent {
    /// A verb of a whole chain has ended.
    ///
    /// # Panics
    /// When it took longer than its bound.
    pub(crate) fn on(&self, verb: &'static str, took: Duration) {
        assert!(took < BOUND, "{verb} took {took:?}");
        let mut longest = self.longest.lock().unwrap();
        let known = longest.entry(verb).or_default();
        *known = took.max(*known);
    }

    /// The `n`-th pod was added to a network without any trouble of its own, beside all that live at a time.
    pub(crate) fn on_add(&self, n: usize, network: usize, took: Duration) {
        self.adds.lock().unwrap().push((n, network, took));
    }

    /// A plugin was killed.
    pub(crate) fn on_kill(&self) {
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(crate) fn kills(&self) -> usize {
        self.kills.load(Ordering::Relaxed)
    }

    /// The longest of each verb, and what ADD cost at first and at last.
    pub(crate) fn report(&self) -> String {
        let mut report = String::new();
        for (verb, took) in &*self.longest.lock().unwrap() {
            writeln!(report, "longest {verb} of a chain: {took:?}").unwrap();
        }
        let (first, last) = self.first_and_last(1000);
        write!(report, "ADD of a chain, medians: {first:?} at first, {last:?} at last").unwrap();
        report
    }

    /// # Panics
    /// When the last `count` ADDs cost more than 1.1 times what the first `count` did.
    pub(crate) fn assert_flat(&self, count: usize) {
        let (first, last) = self.first_and_last(count);
        assert!(last <= first.mul_f64(1.1), "ADD cost {first:?} at first, and {last:?} at last");
    }

    /// The mean over the networks of their medians, so that it does not matter which were drawn.
    fn first_and_last(&self, count: usize) -> (Duration, Duration) {
        let mut adds = self.adds.lock().unwrap().clone();
        adds.sort_unstable();
        let count = count.min(adds.len() / 2);
        (mean_of_medians(&adds[..count]), mean_of_medians(&adds[adds.len() - count..]))
    }
}

fn mean_of_medians(adds: &[(usize, usize, Duration)]) -> Duration {
    let mut networks: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    for &(_, network, took) in adds {
        networks.entry(network).or_default().push(took);
    }
    let medians = networks.values_mut().map(|times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let count = u32::try_from(medians.len()).unwrap().max(1);
    medians.sum::<Duration>() / count
}
