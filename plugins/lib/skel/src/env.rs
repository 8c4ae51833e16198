//! The environment of one invocation, validated (spec 1.1.0, section 2 "Parameters").

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::{CniArgs, Code, ContainerId, Doing, Error, IfName, Result, excerpt};

/// Looks up an environment variable.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What the plugin is run for.
pub(crate) enum Asked {
    /// Nothing: there is no `CNI_COMMAND`, so it is somebody at a terminal.
    About,
    /// VERSION, which needs nothing else.
    Version,
    /// A verb, for a network that stdin has.
    Verb(Env),
}

/// The environment of a verb.
pub(crate) struct Env {
    /// What is asked, or the text of a command that is none.
    pub(crate) request: std::result::Result<Request, String>,
    pub(crate) args: CniArgs,
    pub(crate) cni_path: Vec<PathBuf>,
    /// Whether the plugin's own namespace may be the container's.
    pub(crate) netns_override: bool,
}

/// A verb with what it requires.
pub(crate) enum Request {
    Add(Endpoint, PathBuf),
    Check(Endpoint, PathBuf),
    Del(Endpoint, Option<PathBuf>),
    Gc,
    Status,
}

/// An interface of a container.
pub(crate) struct Endpoint {
    pub(crate) container_id: ContainerId,
    pub(crate) ifname: IfName,
}

/// Reads the environment.
///
/// # Errors
/// Code 4: first any value that is present but invalid, then all missing names at once.
pub(crate) fn read(lookup: Lookup<'_>) -> Result<Asked> {
    let value = |name: &str| lookup(name).filter(|v| !v.is_empty());
    let Some(command) = value("CNI_COMMAND") else { return Ok(Asked::About) };
    if command == "VERSION" {
        return Ok(Asked::Version);
    }
    let command = command.to_string_lossy().into_owned();
    let cni_path: Vec<_> = value("CNI_PATH").iter().flat_map(std::env::split_paths).collect();
    let request = match command.as_str() {
        "ADD" | "CHECK" | "DEL" | "GC" | "STATUS" => Ok(request(&command, lookup, !cni_path.is_empty())?),
        _ => Err(command),
    };
    let netns_override = value("CNI_NETNS_OVERRIDE").and_then(|v| v.into_string().ok());
    Ok(Asked::Verb(Env {
        request,
        // Never an error here: only a plugin that takes arguments may mind their form.
        args: CniArgs::new(value("CNI_ARGS").unwrap_or_default().to_string_lossy()),
        cni_path,
        netns_override: netns_override.is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true")),
    }))
}

fn request(verb: &str, lookup: Lookup<'_>, has_path: bool) -> Result<Request> {
    let is_attached = !matches!(verb, "GC" | "STATUS");
    let text = |name| if is_attached { text(name, lookup) } else { Ok(None) };
    let container_id = text("CNI_CONTAINERID")?.map(|t| ContainerId::new(&t)).transpose()?;
    let ifname = text("CNI_IFNAME")?.map(|t| IfName::new(&t)).transpose().doing("CNI_IFNAME")?;
    let netns = lookup("CNI_NETNS").filter(|path| !path.is_empty()).map(PathBuf::from);
    let required = [
        ("CNI_CONTAINERID", is_attached && container_id.is_none()),
        ("CNI_NETNS", matches!(verb, "ADD" | "CHECK") && netns.is_none()),
        ("CNI_IFNAME", is_attached && ifname.is_none()),
        ("CNI_PATH", !has_path),
    ];
    let missing: Vec<_> =
        required.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect();
    let endpoint = container_id.zip(ifname).map(|(container_id, ifname)| Endpoint { container_id, ifname });
    match (verb, endpoint, netns) {
        ("ADD", Some(endpoint), Some(netns)) if has_path => Ok(Request::Add(endpoint, netns)),
        ("CHECK", Some(endpoint), Some(netns)) if has_path => Ok(Request::Check(endpoint, netns)),
        ("DEL", Some(endpoint), netns) if has_path => Ok(Request::Del(endpoint, netns)),
        ("GC", ..) if has_path => Ok(Request::Gc),
        ("STATUS", ..) if has_path => Ok(Request::Status),
        _ => {
            let missing = missing.join(",");
            Err(Error::new(Code::ENVIRONMENT, format!("required env variables [{missing}] missing")))
        }
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
