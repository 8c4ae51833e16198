//! Locks, records and directories: their modes, and links laid in their way.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cni_skel::{FileLock, Records, ensure_dir, replace_file};
use cni_types::{AttachmentId, Code, ContainerId, IfName, Json, NetworkName};
use nix::sys::stat::{Mode, umask};

/// An empty directory of this test's own.
fn place(test: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cni-skel-{test}-{}", std::process::id()));
    fs::remove_dir_all(&dir).ok();
    fs::create_dir(&dir).unwrap();
    dir
}

fn id() -> AttachmentId {
    AttachmentId {
        network: NetworkName::new("net").unwrap(),
        container_id: ContainerId::new("pod").unwrap(),
        ifname: IfName::new("eth0").unwrap(),
    }
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

fn content() -> Vec<(String, Json)> {
    vec![("key".to_owned(), Json::Bool(true))]
}

/// The umask is the whole process's: one test tries them all.
#[test]
fn modes_are_ours_whatever_the_umask_is() {
    let top = place("modes");
    for (at, mask) in [0o000, 0o022, 0o077, 0o137].into_iter().enumerate() {
        let above = top.join(at.to_string());
        let dir = above.join("records");
        let before = umask(Mode::from_bits_truncate(mask));
        let records = Records::new(&dir, "owner");
        records.write(&id(), "record", content()).unwrap();
        let lock = FileLock::open(&dir.join("lock"), Duration::ZERO).unwrap();
        umask(before);
        drop(lock);
        assert_eq!((mode(&above), mode(&dir)), (0o700, 0o700), "umask {mask:o}");
        assert_eq!((mode(&dir.join("record")), mode(&dir.join("lock"))), (0o600, 0o600), "umask {mask:o}");
    }
    fs::remove_dir_all(&top).unwrap();
}

#[test]
fn a_lock_of_an_earlier_version_is_closed_to_others_and_a_directory_keeps_its_mode() {
    let dir = place("earlier");
    let lock = dir.join("lock");
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    drop(FileLock::open(&lock, Duration::ZERO).unwrap());
    ensure_dir(&dir).unwrap();
    assert_eq!((mode(&lock), mode(&dir)), (0o600, 0o755));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn no_link_is_followed() {
    let dir = place("links");
    let victim = dir.join("victim");
    fs::write(&victim, "untouched").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();

    let records = Records::new(&dir, "owner");
    symlink(&victim, dir.join(format!(".{}", id().tag_prefix()))).unwrap();
    symlink(&victim, records.path("record")).unwrap();
    symlink(&victim, dir.join("lock")).unwrap();
    symlink(&victim, dir.join("draft")).unwrap();

    let error = records.read("record").unwrap_err();
    assert!(error.details.contains("symbolic link"), "{error}");
    records.write(&id(), "record", content()).unwrap();
    assert!(records.path("record").symlink_metadata().unwrap().is_file(), "the link gave way to the record");
    replace_file(&dir.join("file"), &dir.join("draft"), b"text").unwrap();
    let error = FileLock::open(&dir.join("lock"), Duration::ZERO).unwrap_err();
    assert_eq!(error.code, Code::IO);
    assert!(error.details.contains("symbolic link"), "{error}");

    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert_eq!(mode(&victim), 0o644);
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_file_that_cannot_be_replaced_leaves_no_draft_and_what_was_there() {
    let dir = place("drafts");
    let (taken, draft) = (dir.join("taken"), dir.join("draft"));
    fs::create_dir(&taken).unwrap();
    fs::write(&draft, "of a process that was killed").unwrap();
    replace_file(&taken, &draft, b"text").unwrap_err();
    assert!(taken.is_dir() && !draft.exists());
    fs::remove_dir_all(&dir).unwrap();
}
