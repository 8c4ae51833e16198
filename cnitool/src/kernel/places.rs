//! The namespaces there are, and all of them read at once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use nix::sched::{CloneFlags, setns};

use super::Namespace;
use super::conversation::Answers;
use crate::at_once::at_once_with;

/// Most threads that read namespaces.
const READERS: usize = 8;

/// A namespace that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// No two namespaces have the same while both live.
    pub(crate) inode: u64,
    /// Whether it is mounted here, as runtimes do it; else a process is in it, which may be one of another node's in
    /// here.
    pub(crate) is_mounted: bool,
}

/// The namespaces that are mounted somewhere or that a process is in, each once, without this one. What could not be
/// looked at is in `missing`.
pub(crate) fn places(missing: &mut Vec<String>) -> Vec<Place> {
    let own = inode(Path::new("/proc/self/ns/net")).ok();
    let mut found = BTreeMap::new();
    for path in mounted().unwrap_or_else(|e| note(missing, "/proc/self/mountinfo", &e)) {
        if let Ok(inode) = inode(&path) {
            found.entry(inode).or_insert((path, true));
        }
    }
    let mut hidden = 0;
    for process in processes().unwrap_or_else(|e| note(missing, "/proc", &e)) {
        let path = process.join("ns/net");
        match inode(&path) {
            Ok(inode) => drop(found.entry(inode).or_insert((path, false))),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => hidden += 1,
            Err(_) => {}
        }
    }
    if hidden > 0 {
        missing.push(format!(
            "the namespaces of {hidden} processes: no permission to look at /proc/<pid>/ns/net"
        ));
    }
    let others = found.into_iter().filter(|(inode, _)| own != Some(*inode));
    others.map(|(inode, (path, is_mounted))| Place { path, inode, is_mounted }).collect()
}

fn note(missing: &mut Vec<String>, what: &str, error: &io::Error) -> Vec<PathBuf> {
    missing.push(format!("namespaces: cannot read {what}: {error}"));
    Vec::new()
}

fn inode(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.ino())
}

/// Where files of namespaces are mounted; those of another kind are there too.
fn mounted() -> io::Result<Vec<PathBuf>> {
    let text = fs::read_to_string("/proc/self/mountinfo")?;
    let of_line = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        (after.starts_with("nsfs ") && root.starts_with("net:")).then(|| PathBuf::from(unescaped(at)))
    };
    Ok(text.lines().filter_map(of_line).collect())
}

/// The kernel writes space, tab, line break and backslash as three octal digits.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

fn processes() -> io::Result<Vec<PathBuf>> {
    let is_process = |name: &str| name.bytes().all(|b| b.is_ascii_digit());
    let entries = fs::read_dir("/proc")?.filter_map(std::result::Result::ok);
    Ok(entries.filter(|e| e.file_name().to_str().is_some_and(is_process)).map(|e| e.path()).collect())
}

/// What is in each of the namespaces, in their order. Threads go there, and none comes back.
pub(crate) fn read_all(places: &[Place]) -> Vec<io::Result<Namespace>> {
    let workers = thread::available_parallelism().map_or(1, usize::from).clamp(2, READERS);
    at_once_with(workers, places, Answers::new, |answers, place| {
        enter(place)?;
        Namespace::list(answers)
    })
}

fn enter(place: &Place) -> io::Result<()> {
    let file = File::open(&place.path)?;
    // A process's number may be another's by now.
    if file.metadata()?.ino() != place.inode {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(setns(file, CloneFlags::CLONE_NEWNET)?)
}
