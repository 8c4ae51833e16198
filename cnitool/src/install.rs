//! `cnitool install`: puts the suite's plugins into a directory, beside and over what runs there.
//!
//! - [`source`]: an executable to install.
//! - [`plan`]: what becomes of each, decided before anything is written.
//! - [`stage`]: new files under temporary names, and the renames that put them in place.
//! - [`verify`]: comparing without writing or running anything.
//! - [`stay`]: for a pod that is ready as long as everything is in place.
//! - [`label`]: the directory's SELinux label.
//!
//! Every name leads to a whole executable at every moment: the old one until the rename, the new one from then on,
//! whatever happens in between. What is left behind by a killed run is removed by the next.

mod label;
mod options;
mod plan;
mod source;
mod stage;
mod stay;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cni_skel::FileLock;
use cni_types::{Doing, Error, Result};

use crate::table::table;
use plan::{Act, Step};
use stage::Stage;
use verify::Likeness;

pub(crate) use options::Options;
pub(crate) use stay::Held;

/// Two installations into one directory wait for each other; each takes a second.
const LOCK_BOUND: Duration = Duration::from_secs(60);

/// Installs; returns what to print, and whether everything that was asked for is there now.
///
/// # Errors
/// Code 5 with the file that could not be read or written; what was there works as before. Code 7 for an unusable
/// source.
pub(crate) fn run(options: &Options) -> Result<(String, bool)> {
    let dir = &options.dir;
    if options.verify {
        return verify(dir, &source::paths(options.from.as_deref(), &options.plugins)?);
    }
    let sources = source::find(options.from.as_deref(), &options.plugins)?;
    let lock = FileLock::acquire(open(dir)?, dir, LOCK_BOUND)?;
    let steps =
        sources.into_iter().map(|source| plan::step(source, dir, options)).collect::<Result<Vec<_>>>()?;
    put_in_place(&steps, dir, lock.file())?;
    let held = steps.iter().filter(|step| matches!(step.act, Act::Hold(_))).count();
    let rows: Vec<_> = steps.iter().map(Step::row).collect();
    let last =
        if held == 0 { String::new() } else { format!("{held} not installed; --force replaces them\n") };
    Ok((format!("{}\n{}{last}", dir.display(), table("  ", &rows)), held == 0))
}

/// Compares; returns what to print, and whether everything is there.
fn verify(dir: &Path, sources: &[(&str, PathBuf)]) -> Result<(String, bool)> {
    open(dir)?;
    let compare = |(name, path): &(&str, PathBuf)| {
        Ok([(*name).to_owned(), Likeness::of(path, &dir.join(name))?.text().into()])
    };
    let rows = sources.iter().map(compare).collect::<Result<Vec<[String; 2]>>>()?;
    let is_complete = rows.iter().all(|[_, likeness]| likeness == Likeness::Same.text());
    Ok((format!("{}\n{}", dir.display(), table("  ", &rows)), is_complete))
}

fn open(dir: &Path) -> Result<File> {
    let file = File::open(dir).map_err(|e| {
        let error = Error::io(format!("cannot open the directory {}", dir.display()), &e);
        if e.kind() == std::io::ErrorKind::NotFound { error.because("make it first") } else { error }
    })?;
    let is_dir = file.metadata().doing(format!("cannot look at {}", dir.display()))?.is_dir();
    if is_dir { Ok(file) } else { Err(Error::config(format!("{} is no directory", dir.display()))) }
}

/// First everything is written, so that a full disk changes nothing; then everything is renamed.
fn put_in_place(steps: &[Step], dir: &Path, opened: &File) -> Result<()> {
    let mut stage = Stage::new(dir)?;
    for step in steps {
        match step.act {
            Act::Install | Act::Replace => stage.write(&step.source)?,
            Act::Same => stage.have(&step.source),
            Act::Leave | Act::Hold(_) => {}
        }
    }
    if stage.put_in_place()? {
        opened.sync_all().doing(format!("cannot write the directory {} to disk", dir.display()))?;
    }
    Ok(())
}
