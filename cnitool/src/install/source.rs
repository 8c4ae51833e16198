//! What is to be installed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cni_types::{Doing, Error, Result};

use crate::executable::{Executable, Origin, PLUGINS, Semver};

/// An executable to install.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The plugin's name.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its version.
    pub(super) version: Semver,
    /// Device and inode: names that share them become hard links again.
    pub(super) inode: (u64, u64),
}

/// The plugins to install from `dir`, or from where `cnitool` is; all that are there, or those that are `wanted`.
///
/// # Errors
/// Code 7 when one is not there or cannot be run here; code 5 when it cannot be read.
pub(super) fn find(dir: Option<&Path>, wanted: &[String]) -> Result<Vec<Source>> {
    paths(dir, wanted)?.into_iter().map(|(name, path)| source(name, path)).collect()
}

/// The same, as files that nobody has looked at yet.
///
/// # Errors
/// Code 7 when there is none.
pub(super) fn paths(dir: Option<&Path>, wanted: &[String]) -> Result<Vec<(&'static str, PathBuf)>> {
    if let Some(unknown) = wanted.iter().find(|name| !PLUGINS.contains(&name.as_str())) {
        return Err(Error::config(format!("there is no plugin {unknown:?}"))
            .because(format!("there are {}", PLUGINS.join(", "))));
    }
    let dir = dir.map_or_else(beside_cnitool, |dir| Ok(dir.to_owned()))?;
    let is_wanted = |name: &str| {
        if wanted.is_empty() { dir.join(name).exists() } else { wanted.iter().any(|wanted| wanted == name) }
    };
    let names = PLUGINS.into_iter().filter(|name| is_wanted(name));
    let paths: Vec<_> = names.map(|name| (name, dir.join(name))).collect();
    if paths.is_empty() {
        return Err(Error::config(format!("there are no plugins in {}", dir.display()))
            .because("say with --from where they are"));
    }
    Ok(paths)
}

fn beside_cnitool() -> Result<PathBuf> {
    let own = std::env::current_exe().doing("cannot find out where cnitool is")?;
    own.parent().map(Path::to_owned).ok_or_else(|| Error::config("cnitool is in no directory"))
}

fn source(name: &'static str, path: PathBuf) -> Result<Source> {
    let cannot = || format!("cannot install {}", path.display());
    let file = fs::metadata(&path).doing(cannot())?;
    match path.parent().and_then(|dir| Executable::find(dir, name)).map(|found| found.origin) {
        Some(Origin::Ours(version)) => Ok(Source { name, version, inode: (file.dev(), file.ino()), path }),
        Some(Origin::Foreign(why)) => Err(Error::config(cannot()).because(format!("it {why}"))),
        _ => Err(Error::config(cannot()).because("it is not of this suite")),
    }
}
