//! What servers, and who pretends to be one, send to the client's port.

use std::time::Duration;

use cni_types::Mac;

use super::fuzz;
use super::mutate::Mutator;
use crate::clock::Random;
use crate::frame;
use crate::lease::{Act, Binding, Machine, Timing};
use crate::message::Reply;

/// Whom the packets of the corpus are for.
const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
/// Where the transaction id is, behind the headers of IP and UDP.
const XID: std::ops::Range<usize> = 32..36;

fn corpus() -> Vec<Vec<u8>> {
    let lines = include_str!("packets.txt").lines().filter(|line| !line.starts_with('#'));
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    lines.map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

/// A lease that hears only nonsense and near sense.
struct Life {
    machine: Machine,
    now: Duration,
    xid: u32,
    bound: Vec<Binding>,
    over: bool,
}

impl Life {
    fn new(mutator: &mut Mutator) -> Self {
        let random = Random::seeded(mutator.below(usize::MAX) as u64);
        let now = Duration::from_secs(5000);
        let machine = Machine::acquire(MAC, 7, Timing::default(), now, random);
        Self { machine, now, xid: 0, bound: Vec::new(), over: false }
    }

    /// Time passes until the machine has to do something.
    fn tick(&mut self) {
        self.now = self.now.max(self.machine.deadline());
        let acts = self.machine.timer(self.now);
        self.act(acts);
        assert!(
            self.over || self.machine.deadline() > self.now,
            "it would be busy for ever: {:?}",
            self.machine
        );
    }

    fn hear(&mut self, mut packet: Vec<u8>, is_ours: bool) {
        if let Some(xid) = packet.get_mut(XID).filter(|_| is_ours) {
            xid.copy_from_slice(&self.xid.to_be_bytes());
        }
        let Ok(reply) = frame::decode(&packet).and_then(Reply::decode) else { return };
        if let Ok(acts) = self.machine.reply(self.now, &reply) {
            self.act(acts);
        }
    }

    fn act(&mut self, acts: Vec<Act>) {
        assert!(acts.len() <= 4, "{acts:?}");
        for act in acts {
            match act {
                Act::Send(message) => self.xid = message.xid,
                Act::Bound(binding) => {
                    assert!(binding.times.expire > self.now, "{binding:?}");
                    self.bound.push(*binding);
                }
                Act::Ended(_) => self.over = true,
                Act::Draft(_) => {}
            }
        }
    }
}

#[test]
fn the_life_of_a_lease() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 4);
    let mut bound = 0;
    fuzz(&corpus, |mutator, input| {
        let mut life = Life::new(mutator);
        let mut packet = input.to_vec();
        for _ in 0..12 {
            life.tick();
            for _ in 0..mutator.below(4) {
                let is_ours = mutator.below(8) > 0;
                life.hear(packet, is_ours);
                packet = mutator.input(&corpus);
            }
            if life.over {
                break;
            }
        }
        bound += life.bound.len();
    });
    assert!(bound > 0, "the mutations leave nothing that makes a lease");
}
