//! Beside the reference: the same answers, the same files, and either takes over from the other at any moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::run::{Call, DataDir, ours, reference};

/// A fixed sequence that looks random (Knuth's MMIX generator).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn sets() -> [Value; 5] {
    [
        json!([[{"subnet": "10.1.2.0/28"}]]),
        json!([[{"subnet": "10.1.2.0/28", "rangeStart": "10.1.2.4", "rangeEnd": "10.1.2.6", "gateway": "10.1.2.5"},
                {"subnet": "10.1.3.0/29"}, {"subnet": "10.1.4.0/30"}]]),
        json!([[{"subnet": "10.1.2.0/29"}], [{"subnet": "2001:db8::/124"}]]),
        json!([[{"subnet": "10.1.2.0/29", "rangeStart": "10.1.2.0", "rangeEnd": "10.1.2.7"}]]),
        json!([[{"subnet": "2001:db8:0:0:1::/125", "gateway": "fe80::1"}], [{"subnet": "10.1.2.0/30"}]]),
    ]
}

/// The answer without what may differ: error codes and texts.
fn outcome(program: &std::path::Path, verb: &str, id: &str, args: &str, conf: &Value) -> Value {
    let child = Call::by(program, verb, id).env("CNI_ARGS", args).start(conf);
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return json!("failed");
    }
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    // Debian's release still prints an empty "dns" under 1.0.0.
    if answer["dns"] == json!({}) {
        answer.as_object_mut().unwrap().remove("dns");
    }
    answer
}

/// The same operations on a directory each: the same results, reservations and pointers after every one.
#[test]
fn the_same_operations_give_the_same_results_and_files() {
    let Some(reference) = reference() else { return };
    for (seed, ranges) in (1..).zip(sets()) {
        let mut random = Sequence(seed);
        let (mine, theirs) = (DataDir::new(), DataDir::new());
        let keys = json!({ "ranges": ranges, "routes": [{"dst": "10.9.0.0/16", "gw": "10.1.2.9"}] });
        let (mut my_conf, mut their_conf) = (mine.conf(keys.clone()), theirs.conf(keys));
        for step in 0..50 {
            let version = ["0.2.0", "0.3.1", "0.4.0", "1.0.0"][step % 4];
            my_conf["cniVersion"] = version.into();
            their_conf["cniVersion"] = version.into();
            let id = format!("c{}", random.below(12));
            // ADD by an owner of an address fails in both, but the reference then frees the old one too.
            let holds = mine.reservations().into_values().any(|owner| owner == format!("{id}\r\neth0"));
            let verb = if holds { "DEL" } else { "ADD" };
            let args =
                if random.below(3) == 0 { format!("IP=10.1.2.{}", random.below(16)) } else { String::new() };
            let answer = outcome(&ours(), verb, &id, &args, &my_conf);
            assert_eq!(
                answer,
                outcome(&reference, verb, &id, &args, &their_conf),
                "{ranges}: {verb} {id} {args}"
            );
            let pointers = |data: &DataDir| {
                let mut files = data.files();
                // After a failure the reference has moved the pointers of the sets that had worked, and so do we.
                files.retain(|name, _| name != "lock");
                files
            };
            assert_eq!(pointers(&mine), pointers(&theirs), "{ranges}: step {step}: {verb} {id} {args}");
        }
    }
}

/// One directory, operated on by either in turn: never an address twice, never a lost DEL.
#[test]
fn either_takes_over_from_the_other_at_any_moment() {
    let Some(reference) = reference() else { return };
    let programs = [ours(), reference];
    let mut random = Sequence(7);
    let data = DataDir::new();
    let conf = data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "2001:db8::/64"}]] }));
    let mut model: BTreeMap<String, String> = BTreeMap::new();
    for step in 0..400 {
        let id = format!("c{}", random.below(90));
        let program = &programs[usize::try_from(random.below(2)).unwrap()];
        let owner = format!("{id}\r\neth0");
        if model.values().any(|o| *o == owner) {
            if random.below(3) == 0 && *program == ours() {
                let reply = Call::by(program, "ADD", &id).run(&conf);
                assert!(reply.error().1.contains("duplicate allocation"), "step {step}");
            } else {
                Call::by(program, "CHECK", &id).run(&conf).done();
                Call::by(program, "DEL", &id).run(&conf).done();
                model.retain(|_, o| *o != owner);
            }
        } else {
            for ip in Call::by(program, "ADD", &id).run(&conf).ips() {
                let name = ip.split('/').next().unwrap().to_owned();
                assert!(model.insert(name, owner.clone()).is_none(), "step {step}: {ip} was given out twice");
            }
        }
        assert_eq!(data.reservations(), model, "step {step}");
    }
    assert!(data.has_index(), "the index was in use");
}

/// A node upgraded in place, and downgraded again.
#[test]
fn what_one_made_the_other_checks_and_removes() {
    let Some(reference) = reference() else { return };
    for (first, second) in [(ours(), reference.clone()), (reference, ours())] {
        let data = DataDir::new();
        let conf = data.subnet("10.1.2.0/24");
        for i in 0..40 {
            Call::by(&first, "ADD", &format!("c{i}")).run(&conf).ips();
        }
        assert_eq!(Call::by(&second, "ADD", "next").run(&conf).ips(), ["10.1.2.42/24"]);
        for i in 0..40 {
            let id = format!("c{i}");
            let again = Call::by(&second, "ADD", "next").start(&conf).wait_with_output().unwrap();
            assert!(!again.status.success(), "{} does not see the duplicate", second.display());
            Call::by(&second, "CHECK", &id).run(&conf).done();
            Call::by(&second, "DEL", &id).run(&conf).done();
        }
        assert!(data.reservations().into_values().all(|owner| owner == "next\r\neth0"));
    }
}
