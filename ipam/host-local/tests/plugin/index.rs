//! The index is only a hint: whatever happens to it or past it, the files decide. And it does what it is for.

use std::fs;

use serde_json::{Value, json};

use crate::run::{Call, DataDir, ours, strace};

const INDEX: &str = ".host-local.index";

/// A directory with `count` reservations, made known to the index.
fn filled(count: usize) -> (DataDir, Value) {
    let data = DataDir::new();
    let ip = |i: usize| format!("10.7.{}.{}", i >> 8, i & 255);
    data.write("last_reserved_ip.0", ip(count + 1).as_bytes());
    for i in 0..count {
        data.write(&ip(i + 2), format!("old{i}\r\neth0").as_bytes());
    }
    let conf = data.subnet("10.7.0.0/16");
    Call::new("CHECK", "old1").run(&conf).done();
    assert_eq!(data.has_index(), count >= 32);
    (data, conf)
}

fn held_by(data: &DataDir, id: &str) -> Vec<String> {
    let owner = format!("{id}\r\neth0");
    data.reservations().into_iter().filter(|(_, content)| *content == owner).map(|(name, _)| name).collect()
}

/// No reservation is read but the attachment's own: what an operation asks of the kernel does not grow.
#[test]
fn the_number_of_system_calls_does_not_grow_with_the_reservations() {
    let Some(strace) = strace() else { return };
    let count = |reservations: usize, pointer: Option<&str>| {
        let (data, conf) = filled(reservations);
        if let Some(ip) = pointer {
            // Written in place, as by a program of ours: the directory does not change.
            data.write("last_reserved_ip.0", ip.as_bytes());
        }
        ["ADD", "DEL"].map(|verb| {
            let log = data.path().join("strace");
            let wrapper = [strace.to_str().unwrap(), "-o", log.to_str().unwrap()];
            let reply = Call::under(&wrapper, &ours(), verb, "new").run(&conf);
            assert!(reply.ok, "{}", reply.json);
            fs::read_to_string(&log).unwrap().lines().count()
        })
    };
    // Probing the table and the heap may take a few more.
    for (few, many) in count(40, None).into_iter().zip(count(5000, None)) {
        assert!(many <= few + 8, "{few} system calls with 40 reservations, {many} with 5000");
    }
    // The pointer stands at the start of 5000 taken addresses: they are not tried one by one.
    let [add, _] = count(5000, Some("10.7.0.2"));
    assert!(add < 400, "{add} system calls to get past 5000 taken addresses");
}

/// The reference, or an administrator, adds and removes files without telling the index.
#[test]
fn what_others_write_is_seen() {
    let (data, conf) = filled(50);
    data.write("10.7.9.9", b"theirs\r\neth0");
    let (code, text) = Call::new("ADD", "theirs").run(&conf).error();
    assert!(code == 104 && text.contains("10.7.9.9 has been allocated to theirs"), "{text}");
    data.write("10.7.9.10", b"more\r\neth0");
    Call::new("DEL", "more").run(&conf).done();
    assert!(held_by(&data, "more").is_empty());
    fs::remove_file(data.network().join("10.7.0.3")).unwrap();
    assert_eq!(Call::new("ADD", "old1").run(&conf).ips().len(), 1);
    // Taken away and given to another: the file's own word counts.
    data.write("10.7.0.4", b"other\r\neth0");
    Call::new("DEL", "old2").run(&conf).done();
    assert_eq!(held_by(&data, "other"), ["10.7.0.4"]);
    Call::new("DEL", "other").run(&conf).done();
    assert!(held_by(&data, "other").is_empty());
}

/// Even a change that the directory's time does not show never frees what belongs to another.
#[test]
fn a_wrong_index_never_beats_the_file() {
    let (data, conf) = filled(50);
    let time = fs::metadata(data.network()).unwrap().modified().unwrap();
    data.write("10.7.0.5", b"other\r\neth0");
    fs::remove_file(data.network().join("10.7.0.6")).unwrap();
    fs::File::open(data.network()).unwrap().set_modified(time).unwrap();
    Call::new("DEL", "old3").run(&conf).done();
    assert_eq!(held_by(&data, "other"), ["10.7.0.5"]);
    assert_eq!(Call::new("ADD", "old4").run(&conf).ips().len(), 1);
}

#[test]
fn a_damaged_index_is_made_anew() {
    for damage in [&b""[..], b"garbage", &[0; 96], &[0xff; 4096]] {
        let (data, conf) = filled(50);
        data.write(INDEX, damage);
        assert_eq!(Call::new("ADD", "new").run(&conf).ips(), ["10.7.0.52/16"]);
        assert!(Call::new("ADD", "new").run(&conf).error().1.contains("10.7.0.52 has been allocated"));
        Call::new("DEL", "old7").run(&conf).done();
        assert!(held_by(&data, "old7").is_empty());
    }
    let (data, conf) = filled(50);
    fs::remove_file(data.network().join(INDEX)).unwrap();
    fs::create_dir(data.network().join(INDEX)).unwrap();
    Call::new("DEL", "old7").run(&conf).done();
    assert!(held_by(&data, "old7").is_empty());
    assert_eq!(Call::new("ADD", "new").run(&conf).ips().len(), 1);
}

/// More reservations than are kept in memory, and no way to write them down. GC goes through them while it removes.
#[test]
fn where_no_index_can_be_written_the_files_are_asked() {
    let data = DataDir::new();
    fs::create_dir_all(data.network().join(INDEX)).unwrap();
    data.write("last_reserved_ip.0", b"10.7.0.1");
    for i in 2..10_002 {
        data.write(&format!("10.7.{}.{}", i >> 8, i & 255), format!("old{i}\r\neth0").as_bytes());
    }
    let mut conf = data.subnet("10.7.0.0/16");
    assert_eq!(Call::new("ADD", "new").run(&conf).ips(), ["10.7.39.18/16"]);
    assert!(Call::new("ADD", "new").run(&conf).error().1.contains("10.7.39.18 has been allocated"));
    Call::new("CHECK", "new").run(&conf).done();
    Call::new("DEL", "old10001").run(&conf).done();
    assert!(held_by(&data, "old10001").is_empty());
    conf["cniVersion"] = "1.1.0".into();
    Call::new("STATUS", "").run(&conf).done();
    conf["cni.dev/valid-attachments"] = json!([{ "containerID": "old77", "ifname": "eth0" }]);
    Call::new("GC", "").run(&conf).done();
    assert_eq!(data.reservations().into_keys().collect::<Vec<_>>(), ["10.7.0.77"]);
}

/// Grown, shrunk, filled with removed entries and grown again, always by single operations.
#[test]
fn the_index_follows_a_long_life() {
    let (data, conf) = filled(31);
    for round in 0..3 {
        for i in 0..60 {
            Call::new("ADD", &format!("r{round}-{i}")).run(&conf).ips();
        }
        assert!(data.has_index());
        for i in 0..60 {
            let id = format!("r{round}-{i}");
            assert!(Call::new("ADD", &id).run(&conf).error().1.contains("has been allocated"));
            Call::new("DEL", &id).run(&conf).done();
            assert!(held_by(&data, &id).is_empty());
        }
        assert_eq!(data.reservations().len(), 31);
    }
    for i in 0..31 {
        Call::new("DEL", &format!("old{i}")).run(&conf).done();
    }
    assert!(data.reservations().is_empty() && !data.has_index(), "an index of nothing is not kept");
}
