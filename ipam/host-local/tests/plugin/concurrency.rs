//! Many at once, and the bounded lock.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};
use serde_json::json;

use crate::run::{Call, DataDir, Reply, ours, reference};

/// 100 at once by these programs in turn, then 20 DELs of each of some attachments at once.
fn crowd(programs: &[PathBuf]) {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/24");
    let program = |i: usize| &programs[i % programs.len()];
    let adds: Vec<_> = (0..100).map(|i| Call::by(program(i), "ADD", &format!("c{i}")).start(&conf)).collect();
    let given: BTreeSet<_> = adds.into_iter().flat_map(|child| Reply::of(child).ips()).collect();
    assert_eq!((given.len(), data.reservations().len()), (100, 100));
    let owners: BTreeSet<_> = data.reservations().into_values().collect();
    assert_eq!(owners.len(), 100);

    let dels: Vec<_> =
        (0..40).map(|i| Call::by(program(i), "DEL", &format!("c{}", i / 20)).start(&conf)).collect();
    for del in dels {
        Reply::of(del).done();
    }
    assert_eq!(data.reservations().len(), 98);
}

#[test]
fn a_hundred_parallel_adds_get_a_hundred_addresses() {
    crowd(&[ours()]);
}

#[test]
fn so_they_do_with_the_reference_among_them() {
    if let Some(reference) = reference() {
        crowd(&[ours(), reference]);
    }
}

/// The holder, this process, lets go only after all five have given up.
#[test]
fn a_lock_that_stays_held_is_error_11_with_its_holder() {
    let data = DataDir::new();
    let mut conf = data.subnet("10.1.2.0/24");
    conf["cniVersion"] = "1.1.0".into();
    conf["cni.dev/valid-attachments"] = json!([]);
    Call::new("ADD", "a").run(&conf).ips();
    let before = data.files();
    let path = data.network().join("lock");
    let held = Flock::lock(File::open(&path).unwrap(), FlockArg::LockExclusive).map_err(|(_, e)| e).unwrap();
    let started: Vec<_> =
        ["ADD", "DEL", "CHECK", "GC", "STATUS"].map(|verb| (verb, Call::new(verb, "a").start(&conf))).into();
    for (verb, child) in started {
        let (code, text) = Reply::of(child).error();
        assert_eq!(code, 11, "{verb}: {text}");
        assert!(text.contains(path.to_str().unwrap()), "{verb}: {text}");
        assert!(text.contains(&format!("held by pid {} (", std::process::id())), "{verb}: {text}");
    }
    assert_eq!(data.files(), before);
    drop(held);
    Call::new("DEL", "a").run(&conf).done();
}

/// Somebody removes the directory while we wait for its lock: an ADD must not end up in the removed one.
#[test]
fn a_directory_removed_under_the_lock_is_not_written_to() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/24");
    Call::new("ADD", "a").run(&conf).ips();
    let path = data.network().join("lock");
    let held = Flock::lock(File::open(&path).unwrap(), FlockArg::LockExclusive).map_err(|(_, e)| e).unwrap();
    let add = Call::new("ADD", "b").start(&conf);
    while !crate::gc::waits(add.id()) {
        std::thread::yield_now();
    }
    std::fs::remove_dir_all(data.network()).unwrap();
    drop(held);
    assert_eq!(Reply::of(add).ips(), ["10.1.2.2/24"]);
    assert_eq!(data.reservations().into_values().collect::<Vec<_>>(), ["b\r\neth0"]);
}
