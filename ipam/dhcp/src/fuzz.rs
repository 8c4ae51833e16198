//! Mutated input for everything that strangers can send to the daemon: no panic, no endless loop, whatever comes.
//!
//! A bounded number of inputs per run, from a seed that is printed on failure; `CNI_FUZZ_SEED` repeats that run and
//! `CNI_FUZZ_RUNS` sets how many inputs.

mod mutate;
mod packets;
mod rpc;

use crate::clock::Random;
use mutate::Mutator;

/// Gives `body` mutations of the corpus, one at a time.
fn fuzz(corpus: &[Vec<u8>], mut body: impl FnMut(&mut Mutator, &[u8])) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("CNI_FUZZ_SEED").unwrap_or_else(|| Random::new().xid().into());
    for seed in first..first + number("CNI_FUZZ_RUNS").unwrap_or(20_000) {
        let _seed = Seed(seed);
        let mut mutator = Mutator::new(seed);
        let input = mutator.input(corpus);
        body(&mut mutator, &input);
    }
}

/// Tells the seed when its input made the test fail.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("CNI_FUZZ_SEED={} CNI_FUZZ_RUNS=1 repeats it", self.0);
        }
    }
}
