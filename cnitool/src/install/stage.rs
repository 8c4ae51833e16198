//! New files beside the old ones.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cni_skel::remove_file_if_present;
use cni_types::{Doing, Result};

use super::label::Label;
use super::source::Source;
use crate::executable::PLUGINS;

/// Files under temporary names in the directory, gone again with this value unless they are put in place.
pub(super) struct Stage<'a> {
    dir: &'a Path,
    label: Option<Label>,
    /// Temporary name and name.
    staged: Vec<(PathBuf, PathBuf)>,
    /// A file in the directory for each source that has been written or was there.
    copies: BTreeMap<(u64, u64), PathBuf>,
}

impl<'a> Stage<'a> {
    /// Removes what a killed run left.
    ///
    /// # Errors
    /// Code 5 when something cannot be removed, or the directory's label cannot be read.
    pub(super) fn new(dir: &'a Path) -> Result<Self> {
        for name in PLUGINS {
            remove_file_if_present(&temporary(dir, name))?;
        }
        Ok(Self { dir, label: Label::of(dir)?, staged: Vec::new(), copies: BTreeMap::new() })
    }

    /// The source's bytes are in the directory under its name already.
    pub(super) fn have(&mut self, source: &Source) {
        self.copies.entry(source.inode).or_insert_with(|| self.dir.join(source.name));
    }

    /// Writes the source under a temporary name: as a link to the copy of another name of the same file, where there is
    /// one and the file system has links.
    ///
    /// # Errors
    /// Code 5 with the file that could not be written.
    pub(super) fn write(&mut self, source: &Source) -> Result<()> {
        let (temporary, name) = (temporary(self.dir, source.name), self.dir.join(source.name));
        self.staged.push((temporary.clone(), name));
        let linked =
            self.copies.get(&source.inode).is_some_and(|copy| fs::hard_link(copy, &temporary).is_ok());
        if !linked {
            copy(&source.path, &temporary, self.label.as_ref())?;
        }
        self.copies.entry(source.inode).or_insert(temporary);
        Ok(())
    }

    /// Renames every file to its name; whether there was any.
    ///
    /// # Errors
    /// Code 5 with the name that could not be taken; those before it have been.
    pub(super) fn put_in_place(self) -> Result<bool> {
        for (temporary, name) in &self.staged {
            fs::rename(temporary, name).doing(format!("cannot replace {}", name.display()))?;
        }
        Ok(!self.staged.is_empty())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for (temporary, _) in &self.staged {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// No plugin's `type` begins with a dot, so no runtime ever runs it under this name.
fn temporary(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!(".{name}.cnitool-install"))
}

/// On disk before it is renamed: after a power loss a name must not lead to an empty file.
fn copy(from: &Path, to: &Path, label: Option<&Label>) -> Result<()> {
    let mut source = File::open(from).doing(format!("cannot read {}", from.display()))?;
    let cannot = || format!("cannot write {}", to.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(to).doing(cannot())?;
    io::copy(&mut source, &mut file).doing(cannot())?;
    if let Some(label) = label {
        label.give(&file).doing(cannot())?;
    }
    file.set_permissions(Permissions::from_mode(0o755)).doing(cannot())?;
    file.sync_all().doing(cannot())
}
