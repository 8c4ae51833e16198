//! A node's year in minutes: pods of mixed chains come and go, 64 at a time, with kills, lost DELs, flushed rulesets,
//! full disks, restarts of the dhcp daemon and GC in between. At its end nothing is left, no address was ever held
//! twice, and no verb was stuck.
//!
//! `CNI_SOAK` says how many pods; 300 without it. With it costs are judged as well, which is for a quiet machine
//! (`make soak`): the last thousand ADDs cost what the first thousand did. `CNI_SOAK_SEED` repeats a run's sequence.

mod books;
mod chance;
mod life;
mod network;
mod spent;
mod trouble;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cni_tests::{Host, needs};

use chance::Chance;
use life::Node;

/// Pods that come or go at the same time.
const AT_ONCE: usize = 64;
/// Pods that a worker has between two troubles.
const TURNS: usize = 2;

#[test]
fn a_nodes_year_leaves_nothing() {
    needs!(Iptables, Kea);
    let asked = std::env::var("CNI_SOAK").ok();
    let pods = asked.as_ref().map_or(300, |n| n.parse().expect("CNI_SOAK is a number"));
    let seed =
        std::env::var("CNI_SOAK_SEED").map_or(20_261_128, |n| n.parse().expect("CNI_SOAK_SEED is a number"));
    let host = Host::new();
    let mut node = Node::new(&host);
    node.one_of_each("first");
    let before = host.snapshot();

    let next = AtomicUsize::new(0);
    let mut round = 0;
    while next.load(Ordering::Relaxed) < pods {
        let end = (next.load(Ordering::Relaxed) + AT_ONCE * TURNS).min(pods);
        let living = Mutex::new(std::mem::take(&mut node.living));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Ok(n) = next
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < end).then_some(n + 1))
                    {
                        node.live(n, &mut Chance::new(seed, n), &living);
                    }
                });
            }
        });
        node.living = living.into_inner().unwrap();
        trouble::make(&mut node, round);
        round += 1;
    }

    node.end_all();
    node.one_of_each("last");
    host.snapshot().assert_same_as(&before, &format!("{pods} pods (seed {seed})"));
    let report = node.spent.report();
    let kills = node.spent.kills();
    println!("{pods} pods, {round} rounds, {kills} kills, seed {seed}\n{report}");
    assert!(kills > pods / 100, "next to nothing was killed");
    if asked.is_some() {
        node.spent.assert_flat(1000);
    }
}
