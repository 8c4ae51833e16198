//! The lines of a file that others append to and put aside.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use cni_types::{Error, Result};

/// How long to wait for more.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Lines {
    path: PathBuf,
    /// `None` while the file is not there, and is waited for.
    source: Option<Source>,
    /// The beginning of a line whose end is not there yet.
    begun: Vec<u8>,
}

/// Where the lines come from.
struct Source {
    reader: Box<dyn BufRead>,
    /// `None` for stdin.
    inode: Option<u64>,
    /// Bytes.
    read: u64,
    /// The path is another file's by now: what is written here still is read, and then that one.
    is_left: bool,
}

impl Lines {
    /// With `follow` a file that is not there is waited for.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(super) fn open(path: &Path, follow: bool) -> Result<Self> {
        let source = match Source::open(path) {
            Err(e) if follow && e.kind() == ErrorKind::NotFound => None,
            opened => Some(opened.map_err(|e| unreadable(path, &e))?),
        };
        Ok(Self { path: path.to_owned(), source, begun: Vec::new() })
    }

    /// The next line; at the end `None`, or the one that comes next.
    ///
    /// # Errors
    /// Code 5 when the file cannot be read.
    pub(super) fn next(&mut self, follow: bool) -> Result<Option<String>> {
        loop {
            let Some(source) = &mut self.source else {
                *self = Self::open(&self.path, true)?;
                if self.source.is_none() {
                    sleep(PAUSE);
                }
                continue;
            };
            let read = source.reader.read_until(b'\n', &mut self.begun);
            let read = read.map_err(|e| unreadable(&self.path, &e))?;
            source.read += read as u64;
            let is_whole = self.begun.ends_with(b"\n");
            if is_whole || (!follow && !self.begun.is_empty()) {
                let line = std::mem::take(&mut self.begun);
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if !follow || source.inode.is_none() {
                return Ok(None);
            }
            if read == 0 {
                if source.is_left || source.is_cut(&self.path) {
                    self.source = None;
                    continue;
                }
                source.is_left = source.is_elsewhere(&self.path);
                sleep(PAUSE);
            }
        }
    }
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let (reader, inode): (Box<dyn BufRead>, _) = if path == Path::new("-") {
            (Box::new(BufReader::new(io::stdin())), None)
        } else {
            let file = File::open(path)?;
            let inode = file.metadata()?.ino();
            (Box::new(BufReader::new(file)), Some(inode))
        };
        Ok(Self { reader, inode, read: 0, is_left: false })
    }

    /// Whether the file was put aside, with or without a new one in its place.
    fn is_elsewhere(&self, path: &Path) -> bool {
        fs::metadata(path).ok().map(|file| file.ino()) != self.inode
    }

    /// Whether somebody has emptied it, as `logrotate` does with `copytruncate`.
    fn is_cut(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|file| Some(file.ino()) == self.inode && file.len() < self.read)
    }
}

fn unreadable(path: &Path, e: &io::Error) -> Error {
    Error::io(format!("cannot read {}", path.display()), e)
}
