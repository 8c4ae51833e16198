//! The command line.

mod command;
mod debug;
mod demo;
mod gc;
mod install;
mod mistake;
mod plain;
mod see;
mod trace;
mod usage;
mod validate;
mod words;

use std::ffi::OsString;

pub(crate) use command::Command;
pub(crate) use usage::{USAGE, VERBS};

/// Reads the arguments after the program's name.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(crate) fn parse(arguments: &[OsString]) -> command::Result<Command> {
    let [verb, rest @ ..] = arguments else { return plain::parse(arguments) };
    let has = |option: &str| rest.iter().any(|word| word.to_string_lossy().starts_with(option));
    match verb.to_str() {
        Some("install") => install::parse(rest),
        Some("ls") => see::ls(rest),
        Some("graph") => see::graph(rest),
        Some("metrics") => see::metrics(rest),
        Some("check") if rest.iter().any(|word| word == "--all") => see::check_all(rest),
        Some("validate") => validate::parse(rest),
        Some("debug") => debug::parse(rest),
        Some("trace") => trace::parse(rest),
        Some("demo") if has("--model") => demo::model(rest),
        Some("gc") => gc::parse(rest),
        _ => plain::parse(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    fn parse(line: &str) -> command::Result<Command> {
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
