//! Who is alive: container ids out of a runtime or a list, and directories of namespaces.

use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use cni_types::{Code, ContainerId, Doing, Error, Json, Result, excerpt};

use crate::settings;
use crate::tool::{Unsaid, said};

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nobody is alive, and nobody is being attached.
    Nobody,
    /// Every sandbox that a runtime of Kubernetes knows.
    Crictl,
    /// Every container that podman knows, also those that do not run.
    Podman,
    /// Whoever has a namespace in this directory.
    NetnsDir(PathBuf),
    /// A container id per line; `-` is stdin.
    File(PathBuf),
}

impl Keep {
    /// `crictl`, `podman`, `netns-dir=DIR`, `file=F`, `-` or `none`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.split_once('=') {
            None if text == "none" => Self::Nobody,
            None if text == "crictl" => Self::Crictl,
            None if text == "podman" => Self::Podman,
            None if text == "-" => Self::File("-".into()),
            Some(("netns-dir", dir)) if !dir.is_empty() => Self::NetnsDir(dir.into()),
            Some(("file", file)) if !file.is_empty() => Self::File(file.into()),
            _ => return None,
        })
    }
}

/// Who is alive.
#[derive(Debug, Default)]
pub(super) struct Living {
    /// Container ids, or what they begin with.
    ids: Vec<String>,
    /// Whether a list was given, and not namespaces alone.
    pub(super) is_list: bool,
    dirs: Vec<PathBuf>,
}

impl Living {
    /// Asks all of them.
    ///
    /// # Errors
    /// Code 5 for a runtime or a list that cannot be read, code 7 for one that does not say what it should.
    pub(super) fn ask(keeps: &[Keep]) -> Result<Self> {
        let mut living = Self::default();
        for keep in keeps {
            match keep {
                Keep::Nobody => {}
                Keep::Crictl => living.list(sandboxes(&answer("crictl", &["pods", "-o", "json"])?)?),
                Keep::Podman => {
                    let said = answer("podman", &["ps", "--all", "--no-trunc", "--format", "{{.ID}}"])?;
                    living.list(lines(&said, "podman ps")?);
                }
                Keep::File(file) => living.list(read(file)?),
                Keep::NetnsDir(dir) => living.dir(dir)?,
            }
        }
        living.ids.sort_unstable();
        living.ids.dedup();
        Ok(living)
    }

    fn list(&mut self, ids: Vec<String>) {
        self.is_list = true;
        self.ids.extend(ids);
    }

    fn dir(&mut self, dir: &Path) -> Result<()> {
        let doing = || format!("cannot list {}", dir.display());
        for entry in fs::read_dir(dir).doing(doing())? {
            let path = entry.doing(doing())?.path();
            // Those of cnitool say their namespace by their name alone.
            self.ids.push(settings::container_id(&path.to_string_lossy())?.to_string());
        }
        self.dirs.push(dir.to_owned());
        Ok(())
    }

    /// Whether somebody is alive at all.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// A shortened id keeps all that begin with it.
    pub(super) fn has(&self, id: &ContainerId) -> bool {
        let id = id.as_str();
        let after = self.ids.partition_point(|one| one.as_str() <= id);
        self.ids[..after]
            .iter()
            .rev()
            .take_while(|one| one.as_bytes()[0] == id.as_bytes()[0])
            .any(|one| id.starts_with(one.as_str()))
    }

    /// Whether the namespace is in one of the directories.
    pub(super) fn has_netns(&self, netns: &Path) -> bool {
        self.dirs.iter().any(|dir| netns.parent() == Some(dir)) && netns.exists()
    }
}

fn answer(program: &str, arguments: &[&str]) -> Result<String> {
    said(program, arguments).map_err(|unsaid| {
        let error = Error::new(Code::IO, format!("cannot ask {program} which containers are alive"));
        match unsaid {
            Unsaid::Missing => {
                error.because("it is not installed; --keep file=F takes the list from elsewhere")
            }
            Unsaid::Failed(why) => error.because(why),
        }
    })
}

/// `crictl pods -o json`: the ids of `items`.
fn sandboxes(text: &str) -> Result<Vec<String>> {
    let wrong = || Error::config("crictl pods did not answer with a list of pods").because(excerpt(text));
    let json = Json::parse(text.as_bytes()).map_err(|_| wrong())?;
    match json.get("items") {
        Some(Json::Array(items)) => {
            items.iter().map(|item| item.get_str("id").and_then(is_id).ok_or_else(wrong)).collect()
        }
        Some(Json::Null) => Ok(Vec::new()),
        _ => Err(wrong()),
    }
}

fn read(file: &Path) -> Result<Vec<String>> {
    let name = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    let mut text = String::new();
    let read = if file == Path::new("-") {
        stdin().read_to_string(&mut text).map(drop)
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.doing(format!("cannot read the list {name}"))?;
    let ids = lines(&text, &name)?;
    if ids.is_empty() {
        return Err(Error::config(format!("the list {name} is empty"))
            .because("a list that nobody wrote looks the same: --keep none says that nobody is alive"));
    }
    Ok(ids)
}

/// An id per line; empty lines and what follows `#` do not count.
fn lines(text: &str, source: &str) -> Result<Vec<String>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let wrong = |line: &str| Error::config(format!("{source}: {} is no container id", excerpt(line)));
    lines.filter(|line| !line.is_empty()).map(|line| is_id(line).ok_or_else(|| wrong(line))).collect()
}

fn is_id(text: &str) -> Option<String> {
    ContainerId::new(text).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for text in ["", "crio", "netns-dir=", "file", "podman=1"] {
            assert_eq!(Keep::parse(text), None, "{text}");
        }
        assert_eq!(Keep::parse("netns-dir=/run/netns"), Some(Keep::NetnsDir("/run/netns".into())));
        assert_eq!(Keep::parse("file=-"), Keep::parse("-"));
    }

    #[test]
    fn a_shortened_id_keeps_all_that_begin_with_it() {
        let living = Living { ids: ["0a1", "0a1b2c", "f"].map(str::to_owned).into(), ..Living::default() };
        let has = |id: &str| living.has(&ContainerId::new(id).unwrap());
        assert!(has("0a1b2c3d") && has("0a1") && has("0a1z") && has("ff"));
        assert!(!has("0a") && !has("0b1b2c") && !has("e"));
    }

    #[test]
    fn lists() {
        assert_eq!(lines("a1\n\n# x\n b2 # y\n", "F").unwrap(), ["a1", "b2"]);
        assert!(lines("a 1\n", "F").unwrap_err().to_string().contains("\"a 1\" is no container id"));
        assert_eq!(sandboxes(r#"{"items":[{"id":"a1","state":"SANDBOX_READY"}]}"#).unwrap(), ["a1"]);
        for wrong in ["", "{}", "[]", r#"{"items":[{"name":"a1"}]}"#] {
            assert!(sandboxes(wrong).is_err(), "{wrong}");
        }
    }
}
