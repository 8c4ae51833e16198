//! What a plugin has to remember about an attachment until its DEL: one JSON object per file, with its owner in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cni_types::{AttachmentId, Doing, Error, Json, Result, Stale};
use nix::fcntl::OFlag;
use serde::de::DeserializeOwned;

use crate::state;

/// No record is larger, in bytes; anything else under such a name is none.
const SIZE_MAX: u64 = 1 << 20;

/// A directory of records. A record's file name is the plugin's choice (the reference's, where it has such a file);
/// GC goes by the owner inside.
#[derive(Debug, Clone)]
pub struct Records {
    dir: PathBuf,
    owner_key: &'static str,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its file's name in the directory.
    pub name: String,
    /// The tag of the attachment it belongs to; `None` when somebody else wrote it.
    pub owner: Option<String>,
    /// What it holds.
    pub json: Json,
}

impl Records {
    /// The records in `dir`, with their owner's tag under the key `owner_key`.
    pub fn new(dir: impl Into<PathBuf>, owner_key: &'static str) -> Self {
        Self { dir: dir.into(), owner_key }
    }

    /// Where the record of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Where a record is written before it gets its name. It names its owner too, for a DEL or GC after an ADD that was
    /// killed.
    fn draft(&self, id: &AttachmentId) -> PathBuf {
        self.dir.join(format!(".{}", id.tag_prefix()))
    }

    /// Writes the attachment's record in place of any before: all of it, or nothing. The directory (mode 0700) is made
    /// where it is missing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn write(&self, id: &AttachmentId, name: &str, mut members: Vec<(String, Json)>) -> Result<()> {
        let (path, draft) = (self.path(name), self.draft(id));
        members.push((self.owner_key.to_owned(), Json::String(id.tag())));
        let text = Json::Object(members).pretty();
        state::ensure_dir(&self.dir)
            .and_then(|()| state::replace_file(&path, &draft, text.as_bytes()))
            .doing(format!("cannot write the record {}", path.display()))
    }

    /// The record of this name; `None` without one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it is no JSON object.
    pub fn read(&self, name: &str) -> Result<Option<Record>> {
        let path = self.path(name);
        let doing = || format!("cannot read the record {}", path.display());
        let bytes = match state::open_record(&path).and_then(read_start) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.doing(doing())?,
        };
        let json = Json::parse(&bytes).doing(doing())?;
        if !matches!(json, Json::Object(_)) {
            return Err(Error::decode(doing()).because("it is no JSON object"));
        }
        let owner = json.get_str(self.owner_key).map(ToOwned::to_owned);
        Ok(Some(Record { name: name.to_owned(), owner, json }))
    }

    /// What the record of this name holds; `None` without one.
    ///
    /// # Errors
    /// As [`Records::read`]; code 6 also when it holds something else.
    pub fn decode<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(record) = self.read(name)? else { return Ok(None) };
        record.json.decode().map(Some).doing(format!("cannot read the record {}", self.path(name).display()))
    }

    /// Removes the attachment's record and the draft of one.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn remove_if_present(&self, id: &AttachmentId, name: &str) -> Result<()> {
        let files = [self.path(name), self.draft(id)];
        Error::all(files.iter().map(|path| remove_if_present(path)))
    }

    /// The records of stale owners, for a plugin that has something to do for each before it goes. One without an owner
    /// is the reference's and is not among them: nothing says which network it belongs to. Drafts are removed.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn stale(&self, stale: &Stale<'_>) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        for name in self.names()? {
            match name.strip_prefix('.') {
                Some(owner) if stale.includes(owner) => remove_if_present(&self.path(&name))?,
                Some(_) => {}
                // One that cannot be read says no owner.
                None => found.extend(self.read(&name).ok().flatten()),
            }
        }
        found.retain(|record| record.owner.as_deref().is_some_and(|owner| stale.includes(owner)));
        Ok(found)
    }

    /// Removes the records of stale owners.
    ///
    /// # Errors
    /// All failures, folded, after every file was tried.
    pub fn collect(&self, stale: &Stale<'_>) -> Result<()> {
        let found = self.stale(stale)?;
        Error::all(found.iter().map(|record| remove_if_present(&self.path(&record.name))))
    }

    /// Removes the record of this name.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn remove(&self, name: &str) -> Result<()> {
        remove_if_present(&self.path(name))
    }

    /// The names of all files; none where the directory is missing.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>> {
        let doing = || format!("cannot list the records in {}", self.dir.display());
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing(doing())?,
        };
        let names = entries.map(|entry| Ok(entry.doing(doing())?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    /// Whether a record could be written: the directory, or the nearest one above it that is there, is writable.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub fn probe(&self) -> Result<()> {
        let there =
            self.dir.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or_else(|| Path::new("/"));
        let doing = || format!("cannot write records to {}", self.dir.display());
        if !there.is_dir() {
            return Err(Error::io(doing(), &io::Error::from(io::ErrorKind::NotADirectory))
                .because(format!("{} is no directory", there.display())));
        }
        let unnamed =
            OpenOptions::new().write(true).custom_flags(OFlag::O_TMPFILE.bits()).mode(0o600).open(there);
        match unnamed {
            // A file system without unnamed files says so, and is writable.
            Err(e) if e.kind() != io::ErrorKind::Unsupported => Err(Error::io(doing(), &e)),
            _ => Ok(()),
        }
    }
}

/// Reads a plain file, at most its first MiB; a FIFO cannot make it wait, nor a huge file take the node's memory.
///
/// # Errors
/// Those of opening and reading.
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let file: File = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    read_start(file)
}

/// The same for a file whose place is ours alone: one that is a symbolic link is not read.
///
/// # Errors
/// As [`read_small`].
pub fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    read_start(state::open_record(path)?)
}

fn read_start(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn remove_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.doing(format!("cannot remove {}", path.display())),
    }
}
