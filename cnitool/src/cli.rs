//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::excerpt;

/// A command, or the reason and the usage text for a person.
type Result<T> = std::result::Result<T, String>;

/// What `cnitool help` prints, and what follows the reason on stderr when the command line is not understood.
pub(crate) const USAGE: &str = "\
cnitool attaches network namespaces to CNI networks, by hand.

  cnitool add    <network> <netns>   attach the namespace; prints the result
  cnitool check  <network> <netns>   compare the attachment with what add returned
  cnitool del    <network> <netns>   detach the namespace
  cnitool gc     <network>           detach all of it, collect what is left over
  cnitool status <network>           ask whether an add could work now
  cnitool demo   [conflist]          see it work, in namespaces of its own

  -i, --ifname NAME                  interface name (default $CNI_IFNAME or eth0)

  NETCONFPATH   directory of the network configurations (default /etc/cni/net.d)
  CNI_PATH      directories of the plugins, separated by ':' (default /opt/cni/bin)
  CNI_ARGS      arguments for the plugins: KEY=VALUE;KEY=VALUE
  CAP_ARGS      capability arguments for the plugins: a JSON object
  CNI_IFNAME    the interface's name in the namespace
";

/// One attachment, as the command line names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) network: String,
    pub(crate) netns: PathBuf,
    pub(crate) ifname: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Add(Target),
    Check(Target),
    Del(Target),
    Gc { network: String },
    Status { network: String },
    Demo { conflist: Option<PathBuf> },
    Help,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// The reason and the usage text.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut words = Vec::new();
    let mut ifname = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("-i" | "--ifname") => {
                let name = arguments.next().ok_or_else(|| usage("--ifname needs a name"))?;
                ifname = Some(name.to_string_lossy().into_owned());
            }
            Some(text) if text.starts_with("--ifname=") => {
                ifname = text.split_once('=').map(|(_, name)| name.to_owned());
            }
            Some(text) if text.starts_with('-') => {
                return Err(usage(&format!("unknown option {}", excerpt(text))));
            }
            _ => words.push(argument.clone()),
        }
    }
    command(words, ifname)
}

fn command(words: Vec<OsString>, ifname: Option<String>) -> Result<Command> {
    let mut words = words.into_iter();
    let verb = words.next().ok_or_else(|| usage("no command given"))?;
    let rest: Vec<OsString> = words.collect();
    Ok(match verb.to_str() {
        Some("add") => Command::Add(target("add", rest, ifname)?),
        Some("check") => Command::Check(target("check", rest, ifname)?),
        Some("del") => Command::Del(target("del", rest, ifname)?),
        Some("gc") => Command::Gc { network: network("gc", rest)? },
        Some("status") => Command::Status { network: network("status", rest)? },
        Some("demo") if rest.len() > 1 => return Err(usage("demo takes at most one file")),
        Some("demo") => Command::Demo { conflist: rest.into_iter().next().map(PathBuf::from) },
        Some("help") => Command::Help,
        _ => return Err(usage(&format!("unknown command {}", excerpt(&verb.to_string_lossy())))),
    })
}

fn target(verb: &str, rest: Vec<OsString>, ifname: Option<String>) -> Result<Target> {
    let [network, netns] = <[OsString; 2]>::try_from(rest)
        .map_err(|_| usage(&format!("{verb} takes a network and a network namespace")))?;
    Ok(Target { network: text(network)?, netns: netns.into(), ifname })
}

/// The Go tool demands a namespace here too and ignores it; it may be left out.
fn network(verb: &str, rest: Vec<OsString>) -> Result<String> {
    if rest.len() > 2 {
        return Err(usage(&format!("{verb} takes a network")));
    }
    text(rest.into_iter().next().ok_or_else(|| usage(&format!("{verb} takes a network")))?)
}

fn text(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| usage(&format!("{} is not UTF-8", excerpt(&word.to_string_lossy()))))
}

fn usage(why: &str) -> String {
    format!("cnitool: {why}\n\n{USAGE}")
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
        assert_eq!(parse("add net /run/netns/a").unwrap(), Command::Add(target(None)));
        assert_eq!(parse("check -i net1 net /run/netns/a").unwrap(), Command::Check(target(Some("net1"))));
        assert_eq!(parse("del net /run/netns/a --ifname=net1").unwrap(), Command::Del(target(Some("net1"))));
        for line in ["gc net", "gc net /run/netns/a"] {
            assert_eq!(parse(line).unwrap(), Command::Gc { network: "net".into() });
        }
        assert_eq!(parse("status net").unwrap(), Command::Status { network: "net".into() });
        assert_eq!(parse("demo").unwrap(), Command::Demo { conflist: None });
        for line in ["help", "-h", "add --help"] {
            assert_eq!(parse(line).unwrap(), Command::Help);
        }
    }

    #[test]
    fn anything_else_shows_the_usage() {
        for line in
            ["", "add", "add net", "add net a b", "gc", "status", "demo a b", "ad net a", "add -x n a", "-i"]
        {
            let error = parse(line).unwrap_err();
            assert!(error.contains("cnitool add    <network> <netns>"), "{line:?}: {error}");
        }
    }
}
