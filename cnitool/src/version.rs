//! `cnitool version`: what is installed in the directories of plugins, and what runtimes make of it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cni_types::{Doing, Result};

use crate::executable::{Executable, Origin, PLUGINS, Verdict, nerdctl, nomad};
use crate::table::table;

/// What there is in these directories, as text. Only what has a plugin's name is run.
///
/// # Errors
/// Code 5 for a directory that cannot be read.
pub(crate) fn report(dirs: &[PathBuf]) -> Result<String> {
    let mut text = format!("cnitool v{}\n", env!("CARGO_PKG_VERSION"));
    for dir in dirs {
        text.push('\n');
        text.push_str(&of(dir)?);
    }
    Ok(text)
}

fn of(dir: &Path) -> Result<String> {
    let others = others(dir)?;
    let found: Vec<_> = PLUGINS.iter().filter_map(|name| Executable::find(dir, name)).collect();
    let mut rows: Vec<[String; 3]> = PLUGINS.iter().map(|name| row(name, &found)).collect();
    rows.extend(others.into_iter().map(|name| [name, "no plugin of ours: not run".into(), String::new()]));
    let gates =
        [("Nomad", nomad(&found)), ("nerdctl", nerdctl(&found))].map(|(name, verdict)| gate(name, verdict));
    Ok(format!("{}\n{}runtimes\n{}", dir.display(), table("  ", &rows), table("  ", &gates)))
}

fn row(name: &str, found: &[Executable]) -> [String; 3] {
    let Some(plugin) = found.iter().find(|plugin| plugin.name == name) else {
        return [name.to_owned(), "missing".into(), String::new()];
    };
    let remark = match &plugin.origin {
        Origin::Foreign(why) => why.clone(),
        _ => format!("CNI {}", plugin.spec_versions()),
    };
    [name.to_owned(), plugin.origin.to_string(), remark]
}

fn gate(runtime: &str, verdict: Verdict) -> [String; 3] {
    [runtime.to_owned(), if verdict.content { "content" } else { "NOT CONTENT" }.into(), verdict.text]
}

/// The executables in the directory that no plugin of the suite is called like.
fn others(dir: &Path) -> Result<Vec<String>> {
    let doing = || format!("cannot read the directory {}", dir.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).doing(doing())? {
        let entry = entry.doing(doing())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is gone by now, or a link to nowhere, is no executable.
        let is_executable = std::fs::metadata(entry.path())
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        if is_executable && !name.starts_with('.') && !PLUGINS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
