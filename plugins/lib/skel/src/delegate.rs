//! Running another plugin on our behalf (spec 1.1.0, section 4 "Plugin Delegation").

mod answer;
mod exec;
pub mod ipam;

use std::path::{Path, PathBuf};

use cni_types::{Code, Error, PluginName, Result, nearest};

pub use answer::read_result;
pub use exec::{exec, exec_with_env};

/// The verb a delegate is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// ADD
    Add,
    /// CHECK
    Check,
    /// DEL
    Del,
    /// GC
    Gc,
    /// STATUS
    Status,
}

impl Verb {
    /// The text for `CNI_COMMAND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }
}

/// Looks for a plugin's executable: the first directory of `path` with a regular file (or a link to one) of that name.
///
/// # Errors
/// Code 7 when there is none; the details list the directories.
pub fn find(name: &PluginName, path: &[PathBuf]) -> Result<PathBuf> {
    let candidates = path.iter().filter(|dir| !dir.as_os_str().is_empty()).map(|dir| dir.join(name.as_str()));
    candidates.into_iter().find(|file| is_regular(file)).ok_or_else(|| {
        let dirs: Vec<_> = path.iter().map(|dir| dir.display().to_string()).collect();
        let missing = format!("failed to find plugin \"{name}\" in path [{}]", dirs.join(" "));
        Error::new(Code::CONFIG, missing).because(
            match nearest(name.as_str(), installed(path).iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant:?}? It is there"),
                None => "CNI_PATH must name the directory the plugins are installed in".to_owned(),
            },
        )
    })
}

/// The names of all files in the directories, as far as they can be listed.
fn installed(path: &[PathBuf]) -> Vec<String> {
    let entries = path.iter().filter_map(|dir| dir.read_dir().ok()).flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn is_regular(file: &Path) -> bool {
    file.metadata().is_ok_and(|m| m.is_file())
}
