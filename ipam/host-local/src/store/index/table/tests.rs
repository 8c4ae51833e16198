use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// A directory of the test's own, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("host-local-table-{name}-{}", std::process::id())))
    }

    fn directory(&self) -> Directory {
        Directory::ensure(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ip(i: u32) -> IpAddr {
    if i % 2 == 0 { IpAddr::V4(i.into()) } else { IpAddr::V6(u128::from(i).into()) }
}

/// A table of these entries.
fn table(directory: &Directory, entries: Vec<Entry>) -> Table {
    let mut table = Table::create(directory, entries.len()).unwrap();
    table.insert_all(entries).unwrap();
    table
}

fn entries(table: &Table) -> Vec<Entry> {
    table.parts().flat_map(|part| part.unwrap()).collect()
}

/// Sorted, and with hashes as they are stored.
fn stored(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut all: Vec<_> = entries.into_iter().map(|(hash, ip)| (spare(hash), ip)).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_sealed_table_is_believed_until_somebody_writes() {
    let scratch = Scratch::new("sealed");
    let directory = scratch.directory();
    assert!(Table::find(&directory).is_none());
    let mut table = table(&directory, vec![(5, ip(1)), (5, ip(2)), (6, ip(3))]);
    assert!(Table::find(&directory).is_none(), "not sealed yet");
    table.seal(&directory).unwrap();
    // Clearly past: a write in the same tick of the kernel's clock must not look like the sealed state.
    let sealed = directory.file().metadata().unwrap().modified().unwrap();
    assert!(sealed < SystemTime::now() - Duration::from_secs(5));
    let mut table = Table::find(&directory).unwrap();
    assert_eq!((table.len(), table.find_all(5).unwrap()), (3, vec![ip(1), ip(2)]));
    table.remove((5, ip(1))).unwrap();
    table.remove((9, ip(9))).unwrap();
    table.seal(&directory).unwrap();
    assert_eq!(Table::find(&directory).unwrap().find_all(5).unwrap(), [ip(2)]);
    directory.create("10.0.0.1", b"x").unwrap();
    assert!(Table::find(&directory).is_none(), "somebody wrote");
    table.seal(&directory).unwrap();
    assert!(Table::find(&directory).is_some());
    directory.remove_if_present("10.0.0.1").unwrap();
    assert!(Table::find(&directory).is_none(), "somebody removed");
}

#[test]
fn a_table_of_another_boot_or_another_directory_is_not_believed() {
    let scratch = Scratch::new("boot");
    let directory = scratch.directory();
    table(&directory, vec![(5, ip(1))]).seal(&directory).unwrap();
    let file = directory.open_entry(NAME, OFlag::O_RDWR, 0).unwrap();
    // Magic, both words of the boot id, the inode, the time; then the counts, which must fit each other.
    for word in 0..9 {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, word * 8).unwrap();
        file.write_all_at(&(u64::from_le_bytes(bytes) ^ (1 << 40)).to_le_bytes(), word * 8).unwrap();
        assert!(Table::find(&directory).is_none(), "word {word}");
        file.write_all_at(&bytes, word * 8).unwrap();
        assert!(Table::find(&directory).is_some());
    }
    file.set_len(100).unwrap();
    assert!(Table::find(&directory).is_none());
}

/// Thousands at once, and some that have to go past the end of their part, or around that of the table.
#[test]
fn entries_written_by_the_part_are_found_one_by_one() {
    let scratch = Scratch::new("parts");
    let directory = scratch.directory();
    let hash = |i: u32| match i {
        0..300 => PART - 1,
        300..600 => 4 * PART - 1,
        _ => u64::from(i) * 7919,
    };
    let all: Vec<Entry> = (0..2000).map(|i| (hash(i), ip(i))).collect();
    let mut table = Table::create(&directory, all.len()).unwrap();
    assert_eq!(table.slots, 4 * PART);
    for batch in all.chunks(650) {
        table.insert_all(batch.to_vec()).unwrap();
    }
    assert_eq!((table.len(), stored(entries(&table))), (all.len(), stored(all.clone())));
    for entry in &all {
        assert!(table.find_all(entry.0).unwrap().contains(&entry.1), "{entry:?}");
    }
    all.iter().for_each(|entry| table.remove(*entry).unwrap());
    assert_eq!((table.len(), entries(&table).len()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Few hashes, so that many collide; some of them look like the markers of empty and removed slots.
    #[test]
    fn a_table_holds_what_a_list_holds(steps in prop::collection::vec((0_u64..6, 0_u32..40, any::<bool>()), 1..200)) {
        let scratch = Scratch::new("model");
        let directory = scratch.directory();
        let mut model: Vec<Entry> = vec![(30, ip(100)), (63, ip(101))];
        let mut table = table(&directory, model.clone());
        for (hash, i, insert) in steps {
            // 31 and 63 start at the table's last slots and go around its end.
            let entry = ([0, 1, 2, 31, 63, 95][usize::try_from(hash).unwrap()], ip(i));
            if insert && !model.contains(&entry) {
                if !table.has_room(1) {
                    table = super::tests::table(&directory, entries(&table));
                }
                table.insert(entry).unwrap();
                model.push(entry);
            } else if !insert && !model.iter().any(|e| e.1 == entry.1 && e.0 != entry.0) {
                table.remove(entry).unwrap();
                model.retain(|e| *e != entry);
            }
            let mut found = table.find_all(entry.0).unwrap();
            let mut wanted: Vec<_> =
                model.iter().filter(|e| spare(e.0) == spare(entry.0)).map(|e| e.1).collect();
            found.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(found, wanted);
        }
        prop_assert_eq!(stored(entries(&table)), stored(model.clone()));
        table.seal(&directory).unwrap();
        prop_assert_eq!(Table::find(&directory).unwrap().len(), model.len());
    }
}
