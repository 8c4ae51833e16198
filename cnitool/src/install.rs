//! `cnitool install`: puts the suite's plugins into a directory, beside and over what runs there.
//!
//! - [`source`]: an executable to install.
//! - [`plan`]: what becomes of each, decided before anything is written.
//! - [`stage`]: new files under temporary names, and the renames that put them in place.
//! - [`label`]: the directory's SELinux label.
//!
//! Every name leads to a whole executable at every moment: the old one until the rename, the new one from then on,
//! whatever happens in between. What is left behind by a killed run is removed by the next.

mod label;
mod plan;
mod source;
mod stage;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use cni_types::{Doing, Error, FileLock, Result};

use crate::table::table;
use plan::{Act, Step};
use stage::Stage;

/// Two installations into one directory wait for each other; each takes a second.
const LOCK_BOUND: Duration = Duration::from_secs(60);

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Into which directory.
    pub(crate) dir: PathBuf,
    /// From which; without it the one that `cnitool` is in.
    pub(crate) from: Option<PathBuf>,
    /// These plugins; all that are there when empty.
    pub(crate) plugins: Vec<String>,
    /// What has a file there is left alone.
    pub(crate) only_missing: bool,
    /// Newer and foreign executables are replaced too.
    pub(crate) force: bool,
    /// Nothing is written: what differs is an error.
    pub(crate) verify: bool,
}

/// Installs or verifies; returns what to print, and failure when something that was asked for is not there now.
///
/// # Errors
/// Code 5 with the file that could not be read or written; what was there works as before. Code 7 for an unusable source.
pub(crate) fn run(options: &Options) -> Result<(String, ExitCode)> {
    let sources = source::find(options.from.as_deref(), &options.plugins)?;
    let dir = &options.dir;
    let lock = FileLock::acquire(open(dir)?, dir, LOCK_BOUND)?;
    let mut steps = Vec::new();
    for source in sources {
        steps.push(plan::step(source, dir, options)?);
    }
    if !options.verify {
        put_in_place(&steps, dir, lock.file())?;
    }
    let lacking = steps.iter().filter(|step| step.is_lacking(options.verify)).count();
    let rows: Vec<_> = steps.iter().map(|step| step.row(options.verify)).collect();
    let text = format!("{}\n{}{}", dir.display(), table("  ", &rows), last_line(lacking, options));
    Ok((text, if lacking == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
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

fn last_line(lacking: usize, options: &Options) -> String {
    match (lacking, options.verify) {
        (0, _) => String::new(),
        (n, true) => format!("{n} not as they should be; cnitool install puts them right\n"),
        (n, false) => format!("{n} not installed; --force replaces them\n"),
    }
}

/// Whether the file can be executed by everybody.
fn is_executable(mode: u32) -> bool {
    mode & 0o111 == 0o111
}

impl Step {
    /// Whether what was asked for is not there, neither now nor before.
    fn is_lacking(&self, verify: bool) -> bool {
        match self.act {
            Act::Install | Act::Replace => verify,
            Act::Hold(_) => true,
            Act::Same | Act::Leave => false,
        }
    }
}
