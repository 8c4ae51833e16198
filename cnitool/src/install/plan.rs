//! What becomes of each name in the directory.

use std::path::Path;

use cni_types::Result;

use super::options::Options;
use super::source::Source;
use super::verify::Likeness;
use crate::executable::{Executable, Origin, Semver};

/// What is done about one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// There is none yet.
    Install,
    /// The one that is there goes.
    Replace,
    /// It is there already, to the byte.
    Same,
    /// Any will do.
    Leave,
    /// The one that is there is better left alone, for this reason.
    Hold(String),
}

/// One plugin.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) source: Source,
    pub(super) was: Option<Executable>,
    pub(super) act: Act,
}

/// Looks at what is there under the source's name.
///
/// # Errors
/// Code 5 when it cannot be read, code 7 when it is no file.
pub(super) fn step(source: Source, dir: &Path, options: &Options) -> Result<Step> {
    let is_same = Likeness::of(&source.path, &dir.join(source.name))? == Likeness::Same;
    let was = Executable::find(dir, source.name);
    let act = match &was {
        None => Act::Install,
        Some(_) if options.only_missing => Act::Leave,
        Some(_) if is_same => Act::Same,
        Some(_) if options.force => Act::Replace,
        Some(found) => held(&found.origin, &source.version).map_or(Act::Replace, Act::Hold),
    };
    Ok(Step { source, was, act })
}

/// Why an executable is not replaced without `--force`; `None` when it is.
fn held(origin: &Origin, new: &Semver) -> Option<String> {
    match origin {
        Origin::Foreign(why) => Some(format!("foreign: it {why}")),
        Origin::Reference(None) => Some("its version is not known".into()),
        Origin::Ours(old) | Origin::Reference(Some(old)) if old > new => Some("it is newer".into()),
        Origin::Ours(_) | Origin::Reference(Some(_)) => None,
    }
}

impl Step {
    /// Its line in the table: name, what was there, what is there now, and what was done.
    pub(super) fn row(&self) -> [String; 4] {
        let was = self.was.as_ref().map_or_else(|| "-".into(), |found| found.origin.to_string());
        let new = format!("ours v{}", self.source.version);
        let (now, done) = match &self.act {
            Act::Install => (new, "installed".into()),
            Act::Replace => (new, "replaced".into()),
            Act::Same => (new, "is there".into()),
            Act::Leave => (was.clone(), "left alone".into()),
            Act::Hold(why) => (was.clone(), format!("NOT REPLACED: {why}")),
        };
        [self.source.name.to_owned(), was, now, done]
    }
}
