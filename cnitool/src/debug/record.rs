//! What real calls are given, kept and run again.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cni_skel::{child, delegate, ensure_dir, replace_file};
use cni_trace::SWITCHES;
use cni_types::{Code, Doing, Error, Json, PluginName, Result};

use super::scratch::Scratch;
use crate::trace::text;

/// Switches `CNI_RECORD` in the file of the node, and nothing else there.
///
/// # Errors
/// Code 4 for a path that is not absolute, code 5 when the file cannot be written.
pub(super) fn switch(to: Option<&Path>) -> Result<()> {
    if to.is_some_and(Path::is_relative) {
        return Err(Error::new(Code::ENVIRONMENT, "--record takes the whole path of a file"));
    }
    let path = Path::new(SWITCHES);
    let doing = || format!("cannot write {SWITCHES}");
    let before = match fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.doing(format!("cannot read {SWITCHES}"))?,
    };
    let is_other = |line: &&str| line.split_once('=').is_none_or(|(name, _)| name.trim() != "CNI_RECORD");
    let mut switches: String = before.lines().filter(is_other).map(|line| format!("{line}\n")).collect();
    if let Some(file) = to {
        switches += &format!("CNI_RECORD={}\n", file.display());
    }
    ensure_dir(path.parent().unwrap_or(path)).doing(doing())?;
    replace_file(path, &path.with_extension("new"), switches.as_bytes()).doing(doing())
}

/// Runs the last recorded call again: what it answers, and whether it succeeded. An ADD is run for a scratch namespace
/// and a container id of its own, and taken back; CHECK and STATUS as they were.
///
/// # Errors
/// Code 5 or 6 when there is no call in the file; code 7 for a DEL or GC, which would take something away, and when the
/// plugin is not installed.
pub(super) fn replay(file: &Path) -> Result<(String, bool)> {
    let lines = fs::read_to_string(file).doing(format!("cannot read {}", file.display()))?;
    let last = lines.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
    let call =
        Json::parse(last.as_bytes()).doing(format!("the last line of {} is no call", file.display()))?;
    let missing = || Error::decode(format!("the last line of {} is no call", file.display()));
    let stdin = call.get_str("stdin").ok_or_else(missing)?;
    let plugin = PluginName::new(call.get_str("plugin").ok_or_else(missing)?)?;
    let Some(Json::Object(env)) = call.get("env") else { return Err(missing()) };
    let verb = call.get("env").and_then(|env| env.get_str("CNI_COMMAND")).unwrap_or_default();
    if !matches!(verb, "ADD" | "CHECK" | "STATUS") {
        return Err(Error::config(format!("a {verb} is not run again: it would take something away")));
    }
    let path = call.get("env").and_then(|env| env.get_str("CNI_PATH")).unwrap_or_default();
    let program = delegate::find(&plugin, &std::env::split_paths(path).collect::<Vec<PathBuf>>())?;
    let scratch = Scratch::new()?;
    let mut given: Vec<(String, String)> = env
        .iter()
        .filter_map(|(name, value)| match value {
            Json::String(text) => Some((name.clone(), text.clone())),
            _ => None,
        })
        .collect();
    if verb == "ADD" {
        given.retain(|(name, _)| name != "CNI_NETNS" && name != "CNI_CONTAINERID");
        given.push(("CNI_NETNS".to_owned(), scratch.netns.display().to_string()));
        given.push(("CNI_CONTAINERID".to_owned(), format!("cnitool-replay-{}", std::process::id())));
    }
    let run = |verb: &str| {
        let mut env: Vec<(&str, &OsStr)> =
            given.iter().map(|(name, value)| (name.as_str(), OsStr::new(value))).collect();
        env.retain(|(name, _)| *name != "CNI_COMMAND");
        env.push(("CNI_COMMAND", OsStr::new(verb)));
        child::run(&program, &[], &env, stdin.as_bytes()).doing(format!("cannot run {}", program.display()))
    };
    let done = run(verb)?;
    if verb == "ADD" {
        run("DEL")?;
    }
    let mut report = format!("{verb} of {plugin}: {}\n", done.status);
    report += &String::from_utf8_lossy(&done.stdout);
    report += "\n";
    report += &scratch.runs().iter().map(|run| text(run, true)).collect::<String>();
    Ok((report, done.status.success()))
}
