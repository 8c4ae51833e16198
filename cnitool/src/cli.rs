//! The command line.

mod debug;
mod gc;
mod install;
mod see;
mod trace;
mod usage;
mod validate;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::{excerpt, nearest};

use crate::completions::SHELLS;
use crate::debug::Options as Debug;
use crate::demo::Model;
use crate::gc::Options as Gc;
use crate::install::Options as Install;
use crate::trace::Options as Trace;
use crate::validate::Options as Validate;
use crate::{graph, ls, metrics};

pub(crate) use usage::{USAGE, VERBS};

/// A command, or what is wrong and how the command is used, for a person.
type Result<T> = std::result::Result<T, String>;

/// One attachment, as the command line names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) network: String,
    pub(crate) netns: PathBuf,
    pub(crate) ifname: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Add {
        target: Target,
        /// Say on stderr what is wrong with the configuration.
        validates: bool,
    },
    Check(Target),
    Del(Target),
    Gc(Gc),
    /// All networks where none is named.
    Restore {
        networks: Vec<String>,
    },
    Status {
        network: String,
    },
    Demo {
        conflist: Option<PathBuf>,
    },
    /// Two nodes, in one of the three ways they are wired.
    Model(Model),
    Ls(ls::Options),
    Graph(graph::Options),
    Metrics(metrics::To),
    CheckAll {
        network: Option<String>,
    },
    Install(Install),
    Trace(Trace),
    Debug(Debug),
    /// What is installed in `dir`, or in the directories of `CNI_PATH`.
    Installed {
        dir: Option<PathBuf>,
    },
    Validate(Validate),
    Schema,
    /// The script for a shell; without one the names of the networks, which the scripts ask for.
    Completions {
        shell: Option<&'static str>,
    },
    Help,
    Version,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Command> {
    if let Some((_, rest)) = arguments.split_first().filter(|(verb, _)| *verb == "install") {
        return install::parse(rest);
    }
    match arguments.split_first() {
        Some((verb, rest)) if verb == "ls" => return see::ls(rest),
        Some((verb, rest)) if verb == "graph" => return see::graph(rest),
        Some((verb, rest)) if verb == "validate" => return validate::parse(rest),
        Some((verb, rest)) if verb == "debug" => return debug::parse(rest),
        Some((verb, rest)) if verb == "trace" => return trace::parse(rest),
        Some((verb, rest)) if verb == "metrics" => return see::metrics(rest),
        Some((verb, rest)) if verb == "check" && rest.iter().any(|word| word == "--all") => {
            return see::check_all(rest);
        }
        _ => {}
    }
    if let [verb, rest @ ..] = arguments {
        if verb == "demo" && rest.iter().any(|word| word.to_string_lossy().starts_with("--model")) {
            return model(rest);
        }
    }
    if let Some((_, rest)) = arguments.split_first().filter(|(verb, _)| *verb == "gc") {
        return gc::parse(rest);
    }
    let (silent, arguments) = without_flag(arguments, "--no-validate");
    let (words, options) = words_and_options(&arguments);
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default().to_string_lossy().into_owned();
    let mistake = |what: &str| mistake(&verb, what);
    let ifname = match options {
        Options::Help => return Ok(Command::Help),
        Options::Version => return Ok(Command::Version),
        Options::Wrong(what) => return Err(mistake(&what)),
        Options::Ifname(ifname) => ifname,
    };
    let rest: Vec<OsString> = words.collect();
    Ok(match verb.as_str() {
        _ if silent && verb != "add" => return Err(mistake("unknown option \"--no-validate\"")),
        "add" => {
            let target = target(rest, ifname).map_err(|what| mistake(&what))?;
            Command::Add { target, validates: !silent }
        }
        "check" => Command::Check(target(rest, ifname).map_err(|what| mistake(&what))?),
        "del" => Command::Del(target(rest, ifname).map_err(|what| mistake(&what))?),
        "restore" => Command::Restore {
            networks: rest.into_iter().map(text).collect::<Result<_>>().map_err(|what| mistake(&what))?,
        },
        "status" => Command::Status { network: network(rest).map_err(|what| mistake(&what))? },
        "demo" if rest.len() > 1 => return Err(mistake("demo takes at most one file")),
        "demo" => Command::Demo { conflist: rest.into_iter().next().map(PathBuf::from) },
        "version" if rest.len() > 1 => return Err(mistake("it takes at most one directory")),
        "version" => Command::Installed { dir: rest.into_iter().next().map(PathBuf::from) },
        "schema" if !rest.is_empty() => return Err(mistake("it takes nothing")),
        "schema" => Command::Schema,
        "completions" => Command::Completions { shell: shell(&rest).map_err(|what| mistake(&what))? },
        "help" => Command::Help,
        "" => return Err(mistake("no command given")),
        _ => return Err(mistake(&format!("unknown command {}", excerpt(&verb)))),
    })
}

fn model(rest: &[OsString]) -> Result<Command> {
    let name = match rest {
        [option, name] if option == "--model" => name.to_string_lossy().into_owned(),
        [option] => option.to_string_lossy().trim_start_matches("--model=").to_owned(),
        _ => String::new(),
    };
    let found = Model::ALL.into_iter().find(|model| model.name() == name);
    let all = || Model::ALL.map(Model::name).join(", ");
    found
        .map(Command::Model)
        .ok_or_else(|| mistake("demo", &format!("--model takes one of {}, and nothing else", all())))
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

/// One line for what is wrong, and one for what the verb takes, or for the verbs that there are.
fn mistake(verb: &str, what: &str) -> String {
    let verbs = || VERBS.iter().map(|(verb, _)| *verb);
    if let Some((verb, takes)) = VERBS.iter().find(|(known, _)| *known == verb) {
        return format!("cnitool: {what}\nusage: cnitool {verb} {takes}\n");
    }
    let meant = nearest(verb, verbs()).map(|meant| format!(": did you mean {meant:?}?")).unwrap_or_default();
    let all = verbs().collect::<Vec<_>>().join("|");
    format!("cnitool: {what}{meant}\nusage: cnitool {all} …; `cnitool help` has more\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        super::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn commands_of_the_go_tool() {
        let target = |ifname: Option<&str>| Target {
            network: "net".into(),
            netns: "/run/netns/a".into(),
            ifname: ifname.map(Into::into),
        };
        let add = |validates| Command::Add { target: target(None), validates };
        assert_eq!(parse("add net /run/netns/a").unwrap(), add(true));
        assert_eq!(parse("add --no-validate net /run/netns/a").unwrap(), add(false));
        assert_eq!(parse("schema").unwrap(), Command::Schema);
        assert_eq!(parse("check -i net1 net /run/netns/a").unwrap(), Command::Check(target(Some("net1"))));
        assert_eq!(parse("del net /run/netns/a --ifname=net1").unwrap(), Command::Del(target(Some("net1"))));
        assert_eq!(parse("status net").unwrap(), Command::Status { network: "net".into() });
        assert_eq!(parse("demo").unwrap(), Command::Demo { conflist: None });
        for line in ["help", "-h", "add --help"] {
            assert_eq!(parse(line).unwrap(), Command::Help);
        }
        for line in ["--version", "add --version"] {
            assert_eq!(parse(line).unwrap(), Command::Version);
        }
    }

    #[test]
    fn a_mistake_is_one_line_and_the_verbs_usage() {
        let add = "usage: cnitool add [-i NAME] [--no-validate] <network> <netns>";
        let all = "usage: cnitool add|check|del|gc|restore|status|ls|graph|metrics|trace|debug|demo|version|install|validate|schema|completions …; `cnitool help` has more";
        for (line, what, usage) in [
            ("", "no command given", all),
            ("add", "it takes a network and a network namespace", add),
            ("add net a b", "it takes a network and a network namespace", add),
            ("add -x n a", "unknown option \"-x\"", add),
            ("add net -i", "--ifname needs a name", add),
            ("status --no-validate n", "unknown option \"--no-validate\"", "usage: cnitool status <network>"),
            ("status a b c", "it takes a network", "usage: cnitool status <network>"),
            ("version a b", "it takes at most one directory", "usage: cnitool version [DIR]"),
            ("completions csh", "it takes a shell: bash, zsh, fish", "usage: cnitool completions <shell>"),
            (
                "demo a b",
                "demo takes at most one file",
                "usage: cnitool demo [--model overlay|routed|underlay] [conflist]",
            ),
            ("ad net a", "unknown command \"ad\": did you mean \"add\"?", all),
            ("chekc net a", "unknown command \"chekc\": did you mean \"check\"?", all),
            ("attach net a", "unknown command \"attach\"", all),
        ] {
            assert_eq!(parse(line).unwrap_err(), format!("cnitool: {what}\n{usage}\n"), "{line:?}");
        }
    }
}
