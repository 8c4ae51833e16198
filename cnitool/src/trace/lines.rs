//! The lines of a file that others append to and put aside.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use cni_types::{Error, Result};

/// How long to wait for more.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    inode: Option<u64>,
    /// The beginning of a line whose end is not there yet.
    begun: Vec<u8>,
}

impl Lines {
    /// # Errors
    /// Code 5 naming the file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |e: io::Error| Error::io(format!("cannot read {}", path.display()), &e);
        let (reader, inode): (Box<dyn BufRead>, _) = if path == Path::new("-") {
            (Box::new(BufReader::new(io::stdin())), None)
        } else {
            let file = File::open(path).map_err(failed)?;
            let inode = file.metadata().map_err(failed)?.ino();
            (Box::new(BufReader::new(file)), Some(inode))
        };
        Ok(Self { path: path.to_owned(), reader, inode, begun: Vec::new() })
    }

    /// The next line; at the end `None`, or the one that comes next.
    ///
    /// # Errors
    /// Code 5 when the file cannot be read.
    pub(super) fn next(&mut self, follow: bool) -> Result<Option<String>> {
        loop {
            let read = self.reader.read_until(b'\n', &mut self.begun);
            let read = read.map_err(|e| Error::io(format!("cannot read {}", self.path.display()), &e))?;
            let is_whole = self.begun.ends_with(b"\n");
            if is_whole || (!follow && !self.begun.is_empty()) {
                let line = std::mem::take(&mut self.begun);
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if !follow || self.inode.is_none() {
                return Ok(None);
            }
            if read == 0 && !self.goes_on_elsewhere() {
                sleep(PAUSE);
            }
        }
    }

    /// Whether the file was put aside and there is a new one, which is read from here on.
    fn goes_on_elsewhere(&mut self) -> bool {
        let inode = fs::metadata(&self.path).ok().map(|file| file.ino());
        if inode.is_none() || inode == self.inode {
            return false;
        }
        let Ok(new) = Self::open(&self.path) else { return false };
        *self = new;
        true
    }
}
