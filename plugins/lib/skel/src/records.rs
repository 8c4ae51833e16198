//! What a plugin has to remember about an attachment until its DEL: one JSON object per file, with its owner in it.

use std::path::PathBuf;

use cni_types::{AttachmentId, Doing, Error, Json, Result, Stale};
use serde::de::DeserializeOwned;

use crate::state_dir::StateDir;

/// A directory of records. A record's file name is the plugin's choice (the reference's, where it has such a file);
/// GC goes by the owner inside.
#[derive(Debug, Clone)]
pub struct Records {
    dir: StateDir,
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
        Self { dir: StateDir::new(dir), owner_key }
    }

    /// Where the record of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path(name)
    }

    /// Whether there is a record of this name.
    pub fn has(&self, name: &str) -> bool {
        self.dir.has(name)
    }

    /// Writes the attachment's record in place of any before: all of it, or nothing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn write(&self, id: &AttachmentId, name: &str, mut members: Vec<(String, Json)>) -> Result<()> {
        members.push((self.owner_key.to_owned(), Json::String(id.tag())));
        self.dir.write(name, &draft(id), Json::Object(members).pretty().as_bytes())
    }

    /// The record of this name; `None` without one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it is no JSON object.
    pub fn read(&self, name: &str) -> Result<Option<Record>> {
        let Some(bytes) = self.dir.read(name)? else { return Ok(None) };
        let doing = || format!("cannot read the record {}", self.path(name).display());
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

    /// Gives a record another name. One that is gone meanwhile stays so.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn rename_if_present(&self, name: &str, to: &str) -> Result<()> {
        self.dir.rename_if_present(name, to)
    }

    /// Removes the attachment's record of this name and the draft of one.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn remove_if_present(&self, id: &AttachmentId, name: &str) -> Result<()> {
        Error::all([self.remove(name), self.remove_draft(id)])
    }

    /// Removes what an ADD that was killed had not finished writing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn remove_draft(&self, id: &AttachmentId) -> Result<()> {
        self.remove(&draft(id))
    }

    /// Removes the record of this name.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.dir.remove_if_present(name)
    }

    /// The records of stale owners, for a plugin that has something to do for each before it goes. One without an owner
    /// is the reference's and is not among them: nothing says which network it belongs to. Drafts are removed.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn stale(&self, stale: &Stale<'_>) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        for name in self.dir.names()? {
            match name.strip_prefix(DRAFT) {
                Some(owner) if stale.includes(owner) => self.remove(&name)?,
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
        Error::all(self.stale(stale)?.iter().map(|record| self.remove(&record.name)))
    }

    /// The names of all records, drafts left out; none where the directory is missing.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = self.dir.names()?;
        names.retain(|name| !name.starts_with(DRAFT));
        Ok(names)
    }

    /// Whether a record could be written.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub fn probe(&self) -> Result<()> {
        self.dir.probe()
    }
}

/// What no record's name starts with.
const DRAFT: char = '.';

/// The name of a record that is being written. It names its owner too, for a DEL or GC after an ADD that was killed.
fn draft(id: &AttachmentId) -> String {
    format!("{DRAFT}{}", id.tag_prefix())
}
