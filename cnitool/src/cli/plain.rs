//! The verbs of the Go tool, and others that take words and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::excerpt;

use super::command::{Command, Result};
use super::mistake::mistake;
use crate::completions::SHELLS;
use crate::target::Target;

/// Reads the arguments, the verb among them: options may come before it.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let (silent, arguments) = without_flag(arguments, "--no-validate");
    let (words, options) = words_and_options(&arguments);
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default().to_string_lossy().into_owned();
    let command = match options {
        Options::Help => Ok(Command::Help),
        Options::Version => Ok(Command::Version),
        Options::Wrong(what) => Err(what),
        Options::Ifname(_) if silent && verb != "add" => Err("unknown option \"--no-validate\"".to_owned()),
        Options::Ifname(ifname) => command(&verb, words.collect(), ifname, !silent),
    };
    command.map_err(|what| mistake(&verb, &what))
}

/// The command, or what is wrong.
fn command(verb: &str, rest: Vec<OsString>, ifname: Option<String>, validates: bool) -> Result<Command> {
    Ok(match verb {
        "add" => Command::Add { target: target(rest, ifname)?, validates },
        "check" => Command::Check(target(rest, ifname)?),
        "del" => Command::Del(target(rest, ifname)?),
        "restore" => Command::Restore { networks: rest.into_iter().map(text).collect::<Result<_>>()? },
        "status" => Command::Status { network: network(rest)? },
        "demo" if rest.len() > 1 => Err("demo takes at most one file")?,
        "demo" => Command::Demo { conflist: rest.into_iter().next().map(PathBuf::from) },
        "version" if rest.len() > 1 => Err("it takes at most one directory")?,
        "version" => Command::Installed { dir: rest.into_iter().next().map(PathBuf::from) },
        "schema" if !rest.is_empty() => Err("it takes nothing")?,
        "schema" => Command::Schema,
        "completions" => Command::Completions { shell: shell(&rest)? },
        "help" => Command::Help,
        "" => Err("no command given")?,
        _ => Err(format!("unknown command {}", excerpt(verb)))?,
    })
}

/// Whether the flag of `add` is among the arguments, and the others.
fn without_flag(arguments: &[OsString], flag: &str) -> (bool, Vec<OsString>) {
    let others: Vec<_> = arguments.iter().filter(|argument| *argument != flag).cloned().collect();
    (others.len() < arguments.len(), others)
}

enum Options {
    Help,
    Version,
    Ifname(Option<String>),
    Wrong(String),
}

fn words_and_options(arguments: &[OsString]) -> (Vec<OsString>, Options) {
    let (mut words, mut options) = (Vec::new(), Options::Ifname(None));
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let found = match argument.to_str() {
            Some("-h" | "--help") => Options::Help,
            Some("--version") => Options::Version,
            Some("-i" | "--ifname") => match arguments.next() {
                Some(name) => Options::Ifname(Some(name.to_string_lossy().into_owned())),
                None => Options::Wrong("--ifname needs a name".to_owned()),
            },
            Some(text) if text.starts_with("--ifname=") => {
                Options::Ifname(text.split_once('=').map(|(_, name)| name.to_owned()))
            }
            Some(text) if text.starts_with('-') => {
                Options::Wrong(format!("unknown option {}", excerpt(text)))
            }
            _ => {
                words.push(argument.clone());
                continue;
            }
        };
        // The first that decides.
        if matches!(options, Options::Ifname(_)) {
            options = found;
        }
    }
    (words, options)
}

fn target(rest: Vec<OsString>, ifname: Option<String>) -> Result<Target> {
    let [network, netns] =
        <[OsString; 2]>::try_from(rest).map_err(|_| "it takes a network and a network namespace")?;
    Ok(Target { network: text(network)?, netns: netns.into(), ifname })
}

/// The Go tool demands a namespace here too and ignores it; it may be left out.
fn network(rest: Vec<OsString>) -> Result<String> {
    let (many, first) = (rest.len() > 2, rest.into_iter().next());
    text(first.filter(|_| !many).ok_or("it takes a network")?)
}

/// `networks` is for the scripts themselves.
fn shell(rest: &[OsString]) -> Result<Option<&'static str>> {
    match rest {
        [word] if word == "networks" => Ok(None),
        [word] => SHELLS.into_iter().find(|shell| word == shell).map(Some).ok_or_else(unknown_shell),
        _ => Err(unknown_shell()),
    }
}

fn unknown_shell() -> String {
    format!("it takes a shell: {}", SHELLS.join(", "))
}

fn text(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| format!("{} is not UTF-8", excerpt(&word.to_string_lossy())))
}
