//! GC.

use std::fs::{self, File};
use std::time::{Duration, Instant, SystemTime};

use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};

use crate::run::{Call, DataDir, Reply};

fn conf(data: &DataDir, valid: Value) -> Value {
    let mut conf = data.subnet("10.1.0.0/16");
    conf["cniVersion"] = "1.1.0".into();
    conf["cni.dev/valid-attachments"] = valid;
    conf
}

#[test]
fn gc_frees_all_but_the_valid_attachments() {
    for count in [10, 50] {
        let data = DataDir::new();
        let add = data.subnet("10.1.0.0/16");
        for i in 0..count {
            Call::new("ADD", &format!("c{i}")).run(&add).ips();
        }
        Call::new("ADD", "c1").env("CNI_IFNAME", "eth1").run(&add).ips();
        data.write("10.1.200.1", b"old");
        data.write("10.1.200.2", b"older");
        data.write("10.1.200.3", b"");
        let entry = |id: &str, ifname: &str| json!({ "containerID": id, "ifname": ifname });
        let valid =
            json!([entry("c1", "eth0"), entry("c2", "eth9"), entry("c3", "eth0"), entry("old", "eth0")]);
        Call::new("GC", "").run(&conf(&data, valid)).done();
        let left: Vec<_> = data.reservations().into_values().collect();
        assert_eq!(left, ["c1\r\neth0", "c3\r\neth0", "old"], "{count}");
        assert!(data.network().join("lock").exists());
        assert_eq!(data.files()["last_reserved_ip.0"], format!("10.1.0.{}", count + 2));

        Call::new("GC", "").run(&conf(&data, json!([]))).done();
        assert!(data.reservations().is_empty());
    }
}

#[test]
fn gc_without_a_list_or_with_a_bad_one_frees_nothing() {
    let data = DataDir::new();
    Call::new("ADD", "a").run(&data.subnet("10.1.0.0/16")).ips();
    let mut none = conf(&data, Value::Null);
    none.as_object_mut().unwrap().remove("cni.dev/valid-attachments");
    let bad_id = json!([{ "containerID": "../x", "ifname": "eth0" }]);
    Call::new("GC", "").run(&none).done();
    assert_eq!(data.reservations().len(), 1);
    for bad in [conf(&data, json!(7)), conf(&data, bad_id)] {
        assert!([6, 7].contains(&Call::new("GC", "").run(&bad).error().0), "{bad}");
        assert_eq!(data.reservations().len(), 1);
    }
}

#[test]
fn gc_needs_no_ranges_and_no_directory() {
    let data = DataDir::new();
    let mut conf = conf(&data, json!([]));
    conf["ipam"]["ranges"] = json!("garbage");
    Call::new("GC", "").run(&conf).done();
    assert!(!data.network().exists());
    data.write("10.1.0.9", b"a\r\neth0");
    Call::new("GC", "").run(&conf).done();
    assert!(data.reservations().is_empty());
}

/// The list is as old as the GC process: what is reserved while that waits for the lock is not in it, and stays.
#[test]
fn gc_never_frees_what_is_younger_than_its_list() {
    let data = DataDir::new();
    data.write("10.1.0.8", b"stale\r\neth0");
    data.write("lock", b"");
    let lock = File::open(data.network().join("lock")).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, e)| e).unwrap();
    let gc = Call::new("GC", "").start(&conf(&data, json!([])));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !waits(gc.id()) {
        assert!(Instant::now() < deadline, "GC does not wait for the lock");
        std::thread::yield_now();
    }
    data.write("10.1.0.9", b"young\r\neth0");
    File::options()
        .write(true)
        .open(data.network().join("10.1.0.9"))
        .unwrap()
        .set_modified(SystemTime::now())
        .unwrap();
    drop(lock);
    Reply::of(gc).done();
    assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.1.0.9"]);
}

/// The clock was set back, so they come from the future: no ADD that runs beside this GC has made them.
#[test]
fn gc_frees_what_is_dated_in_the_future() {
    let data = DataDir::new();
    for (n, seconds) in [3600, 86_400, 10 * 365 * 86_400].into_iter().enumerate() {
        let name = format!("10.1.0.{}", n + 2);
        data.write(&name, format!("gone{n}\r\neth0").as_bytes());
        let file = File::options().write(true).open(data.network().join(&name)).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
    }
    data.write("10.1.0.100", b"valid\r\neth0");
    let file = File::options().write(true).open(data.network().join("10.1.0.100")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
    let valid = json!([{ "containerID": "valid", "ifname": "eth0" }]);
    Call::new("GC", "").run(&conf(&data, valid)).done();
    assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.1.0.100"]);
}

/// Whether the process waits for a lock (`->` in proc_locks(5)).
pub(crate) fn waits(pid: u32) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.get(1) == Some(&"->") && words.contains(&pid.to_string().as_str())
    })
}
