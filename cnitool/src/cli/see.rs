//! The options of the verbs that look: `ls`, `graph`, `check --all`, `metrics`.

use std::ffi::OsString;
use std::net::SocketAddr;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::{graph, ls, metrics};

/// Reads the arguments behind `ls`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn ls(arguments: &[OsString]) -> Result<Command> {
    let mut words = Words::new("ls", arguments);
    let mut options = ls::Options::default();
    while let Some(word) = words.next()? {
        match option(&word) {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("-o" | "--output") => {
                options.format = match words.text("-o")?.as_str() {
                    "wide" => ls::Format::Wide,
                    "json" => ls::Format::Json,
                    "name" => ls::Format::Name,
                    _ => return Err(words.wrong("-o takes wide, json or name")),
                };
            }
            Some("--network") => options.network = Some(words.text("--network")?),
            Some("--watch") => options.watch = true,
            _ => return Err(words.unknown(&word)),
        }
    }
    if options.watch && options.format == ls::Format::Json {
        return Err(words.wrong("--watch prints lines, so not with -o json"));
    }
    Ok(Command::Ls(options))
}

/// Reads the arguments behind `check`, where `--all` is one of them.
///
/// # Errors
/// As [`ls`].
pub(super) fn check_all(arguments: &[OsString]) -> Result<Command> {
    let mut words = Words::new("check", arguments);
    let mut network = None;
    while let Some(word) = words.next()? {
        match option(&word) {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--all") => {}
            Some("--network") => network = Some(words.text("--network")?),
            _ => return Err(words.unknown(&word)),
        }
    }
    Ok(Command::CheckAll { network })
}

/// Reads the arguments behind `graph`.
///
/// # Errors
/// As [`ls`].
pub(super) fn graph(arguments: &[OsString]) -> Result<Command> {
    let mut words = Words::new("graph", arguments);
    let mut options = graph::Options::default();
    while let Some(word) = words.next()? {
        match option(&word) {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("-o" | "--output") => {
                options.format = match words.text("-o")?.as_str() {
                    "text" => graph::Format::Text,
                    "dot" => graph::Format::Dot,
                    "mermaid" => graph::Format::Mermaid,
                    "svg" => graph::Format::Svg,
                    "json" => graph::Format::Json,
                    _ => return Err(words.wrong("-o takes text, dot, mermaid, svg or json")),
                };
            }
            Some("--network") => options.network = Some(words.text("--network")?),
            _ => return Err(words.unknown(&word)),
        }
    }
    Ok(Command::Graph(options))
}

/// Reads the arguments behind `metrics`.
///
/// # Errors
/// As [`ls`].
pub(super) fn metrics(arguments: &[OsString]) -> Result<Command> {
    let mut words = Words::new("metrics", arguments);
    let mut to = metrics::To::Stdout;
    while let Some(word) = words.next()? {
        let next = match option(&word) {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--textfile") => metrics::To::File(words.value("--textfile")?.into()),
            Some("--listen") => {
                let text = words.text("--listen")?;
                let what =
                    "--listen takes a port, or an address and a port: 9798, 127.0.0.1:9798, [::1]:9798";
                metrics::To::Address(address(&text).ok_or_else(|| words.wrong(what))?)
            }
            _ => return Err(words.unknown(&word)),
        };
        if to != metrics::To::Stdout {
            return Err(words.wrong("it takes one of --textfile and --listen"));
        }
        to = next;
    }
    Ok(Command::Metrics(to))
}

fn option<'w>(word: &'w Word<'_>) -> Option<&'w str> {
    if let Word::Option(name) = word { Some(name) } else { None }
}

/// A port alone is one of the loopback: the numbers say who runs here.
fn address(text: &str) -> Option<SocketAddr> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>().ok();
    port.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        super::super::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_of_the_verbs_that_look() {
        let ls = |format, network: Option<&str>, watch| {
            Command::Ls(ls::Options { format, network: network.map(Into::into), watch })
        };
        assert_eq!(parse("ls").unwrap(), ls(ls::Format::Table, None, false));
        assert_eq!(parse("ls -o wide --network=a").unwrap(), ls(ls::Format::Wide, Some("a"), false));
        assert_eq!(parse("ls --watch --output=name").unwrap(), ls(ls::Format::Name, None, true));
        let graph = |format| Command::Graph(graph::Options { format, network: None });
        assert_eq!(parse("graph").unwrap(), graph(graph::Format::Text));
        assert_eq!(parse("graph -o svg").unwrap(), graph(graph::Format::Svg));
        assert_eq!(parse("check --all").unwrap(), Command::CheckAll { network: None });
        assert_eq!(
            parse("check --network a --all").unwrap(),
            Command::CheckAll { network: Some("a".into()) }
        );
        assert_eq!(parse("metrics").unwrap(), Command::Metrics(metrics::To::Stdout));
        assert_eq!(parse("metrics --textfile /x").unwrap(), Command::Metrics(metrics::To::File("/x".into())));
        for (text, address) in [("9798", "127.0.0.1:9798"), (":1", "127.0.0.1:1"), ("[::]:2", "[::]:2")] {
            let to = metrics::To::Address(address.parse().unwrap());
            assert_eq!(parse(&format!("metrics --listen {text}")).unwrap(), Command::Metrics(to), "{text}");
        }
        for line in [
            "ls x",
            "ls -o",
            "ls -o yaml",
            "ls --watch -o json",
            "ls --watch=1",
            "check --all net",
            "graph -o png",
            "metrics --listen host:1",
            "metrics --listen 70000",
            "metrics --listen 1 --textfile x",
        ] {
            let verb = line.split(' ').next().unwrap();
            assert!(parse(line).unwrap_err().contains(&format!("\nusage: cnitool {verb} ")), "{line}");
        }
    }
}
