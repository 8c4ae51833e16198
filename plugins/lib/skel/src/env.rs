//! The environment of one invocation, validated (spec 1.1.0, section 2 "Parameters").

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::{CniArgs, Code, ContainerId, Error, IfName, Result, excerpt};

/// Looks up an environment variable.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Add,
    Check,
    Del,
    Gc,
    Status,
    Version,
}

impl Command {
    fn find(text: &str) -> Option<Self> {
        Some(match text {
            "ADD" => Self::Add,
            "CHECK" => Self::Check,
            "DEL" => Self::Del,
            "GC" => Self::Gc,
            "STATUS" => Self::Status,
            "VERSION" => Self::Version,
            _ => return None,
        })
    }
}

/// What the environment says. The three names are there for the commands that require them.
pub(crate) struct Env {
    pub(crate) command: std::result::Result<Command, String>,
    pub(crate) container_id: Option<ContainerId>,
    pub(crate) netns: Option<PathBuf>,
    pub(crate) ifname: Option<IfName>,
    pub(crate) args: CniArgs,
    pub(crate) cni_path: Vec<PathBuf>,
    pub(crate) netns_override: bool,
}

/// Reads the environment. `None`: no `CNI_COMMAND`, somebody runs the plugin by hand.
///
/// # Errors
/// Code 4: first any value that is present but invalid, then all missing names at once.
pub(crate) fn read(lookup: Lookup<'_>) -> Result<Option<Env>> {
    let value = |name: &str| lookup(name).filter(|v| !v.is_empty());
    let Some(command) = value("CNI_COMMAND") else { return Ok(None) };
    let command = command.to_string_lossy().into_owned();
    let command = Command::find(&command).ok_or(command);
    let attached = matches!(command, Ok(Command::Add | Command::Check | Command::Del));
    let mut env = Env {
        command,
        container_id: None,
        netns: value("CNI_NETNS").map(PathBuf::from),
        ifname: None,
        // Never an error here: only a plugin that takes arguments may mind their form.
        args: CniArgs::new(value("CNI_ARGS").unwrap_or_default().to_string_lossy()),
        cni_path: value("CNI_PATH").iter().flat_map(std::env::split_paths).collect(),
        netns_override: matches!(
            value("CNI_NETNS_OVERRIDE")
                .and_then(|v| v.into_string().ok())
                .map(|v| v.to_ascii_lowercase())
                .as_deref(),
            Some("1" | "true")
        ),
    };
    if attached {
        env.container_id = text("CNI_CONTAINERID", lookup)?.map(|t| ContainerId::new(&t)).transpose()?;
        env.ifname = text("CNI_IFNAME", lookup)?
            .map(|t| IfName::new(&t))
            .transpose()
            .map_err(|e| e.doing("CNI_IFNAME"))?;
    }
    env.refuse_missing()?;
    Ok(Some(env))
}

impl Env {
    fn refuse_missing(&self) -> Result<()> {
        use Command::{Add, Check, Del, Gc, Status};
        let Ok(command) = self.command else { return Ok(()) };
        let required = [
            ("CNI_CONTAINERID", matches!(command, Add | Check | Del), self.container_id.is_some()),
            ("CNI_NETNS", matches!(command, Add | Check), self.netns.is_some()),
            ("CNI_IFNAME", matches!(command, Add | Check | Del), self.ifname.is_some()),
            ("CNI_PATH", matches!(command, Add | Check | Del | Gc | Status), !self.cni_path.is_empty()),
        ];
        let missing = required.iter().filter(|(_, needed, there)| *needed && !there).map(|(name, ..)| *name);
        let missing = missing.collect::<Vec<_>>().join(",");
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::ENVIRONMENT, format!("required env variables [{missing}] missing")))
    }
}

/// A variable's text; empty counts as missing.
fn text(name: &str, lookup: Lookup<'_>) -> Result<Option<String>> {
    let Some(value) = lookup(name).filter(|v| !v.is_empty()) else { return Ok(None) };
    value.into_string().map(Some).map_err(|value| {
        Error::new(Code::ENVIRONMENT, format!("{name} is not UTF-8"))
            .because(excerpt(&value.to_string_lossy()))
    })
}
