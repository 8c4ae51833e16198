//! A directory of network configurations, `/etc/cni/net.d`: `*.conflist` first, in the order of their names, then the
//! older `*.conf` and `*.json`. The first with the name asked for wins.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cni_types::{Doing, Error, Result, excerpt};

use super::{NetworkList, PluginConf};

/// The network named `name`.
///
/// # Errors
/// Code 7 when there is none; code 5, 6 or 7 when a file that sorts before it cannot be read, since nobody can say
/// which network that file is.
pub fn find_network(dir: &Path, name: &str) -> Result<NetworkList> {
    let lists = files(dir, &["conflist"])?;
    let singles = files(dir, &["conf", "json"])?;
    if lists.is_empty() && singles.is_empty() {
        return Err(Error::config(format!("no net configurations found in {}", dir.display())));
    }
    for file in lists {
        let list = load(&file)?;
        if list.name.as_str() == name {
            return Ok(list);
        }
    }
    for file in singles {
        let list = NetworkList::from_single(&read(&file)?).doing(file.display())?;
        if list.name.as_str() == name {
            return Ok(list);
        }
    }
    Err(Error::config(format!("no net configuration with name {} in {}", excerpt(name), dir.display())))
}

/// The network of one `.conflist` file, with the plugins of `<its directory>/<network name>/*.conf` appended unless
/// `loadOnlyInlinedPlugins` is true.
///
/// # Errors
/// Code 5 when a file cannot be read, 6 or 7 when it does not say what it should; the message names it.
pub fn load(file: &Path) -> Result<NetworkList> {
    let mut list = NetworkList::parse(&read(file)?).doing(file.display())?;
    if !list.only_inlined {
        let dir = file.parent().unwrap_or_else(|| Path::new(".")).join(list.name.as_str());
        for file in files(&dir, &["conf"])? {
            list.plugins.push(PluginConf::parse(&read(&file)?).doing(file.display())?);
        }
    }
    if list.plugins.is_empty() {
        return Err(Error::config(format!("{}: no plugin configs found", file.display())));
    }
    Ok(list)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).doing(format!("error reading {}", file.display()))
}

/// The files of `dir` with one of the extensions, sorted; a directory that is not there has none.
fn files(dir: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(format!("cannot list {}", dir.display()), &e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.doing(format!("cannot list {}", dir.display()))?;
        let path = entry.path();
        let wanted = path.extension().and_then(OsStr::to_str).is_some_and(|e| extensions.contains(&e));
        if wanted && !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
