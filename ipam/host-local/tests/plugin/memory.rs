//! Memory does not grow with the reservations: not when all are read, nor when an index is made or a free one is found.

use std::fs;

use serde_json::Value;

use crate::run::{Call, DataDir, ours};

/// What many reservations may cost on top of a few, in KiB of address space (an upper bound of the memory in use).
const GROWTH: usize = 1536;

/// A directory with the addresses from 10.7.0.2 on taken, the pointer before them, and no index.
fn filled(count: usize) -> (DataDir, Value) {
    let data = DataDir::new();
    data.write("last_reserved_ip.0", b"10.7.0.1");
    for i in 2..count + 2 {
        let owner = format!("{i:064}\r\neth0");
        fs::write(data.network().join(format!("10.7.{}.{}", i >> 8, i & 255)), owner).unwrap();
    }
    let conf = data.subnet("10.7.0.0/16");
    (data, conf)
}

/// An ADD with a limited address space; whether it worked. One that failed has left nothing.
fn add(conf: &Value, id: &str, limit: usize) -> bool {
    let script = format!("ulimit -v {limit}; exec \"$0\"");
    let output = Call::under(&["/bin/sh", "-c", &script], &ours(), "ADD", id).start(conf);
    output.wait_with_output().unwrap().status.success()
}

#[test]
fn memory_does_not_grow_with_the_reservations() {
    let (few, conf) = filled(40);
    let mut base = 1024;
    while !add(&conf, "new", base) {
        assert!(few.reservations().len() == 40 && base < 100_000, "does it work at all?");
        base += 64;
    }
    let (many, conf) = filled(60_000);
    assert!(add(&conf, "new", base + GROWTH), "without an index; the limit is {base} + {GROWTH} KiB");
    assert!(many.has_index());
    many.write("last_reserved_ip.0", b"10.7.0.1");
    assert!(add(&conf, "next", base + GROWTH), "with an index");
    many.write("theirs", b"");
    many.write("last_reserved_ip.0", b"10.7.0.1");
    assert!(add(&conf, "last", base + GROWTH), "after somebody else wrote");
    assert!(many.has_index());
    assert_eq!(fs::read(many.network().join("10.7.234.100")).unwrap(), b"last\r\neth0");
}
