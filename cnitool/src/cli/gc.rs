//! The options of `gc`.

use std::ffi::OsString;
use std::time::Duration;

use cni_types::excerpt;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::gc::{Keep, Options};

/// How old an attachment has to be by default, in seconds: kubelet gives a sandbox four minutes.
const GRACE: u64 = 300;

/// Reads the arguments behind `gc`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let grace = Duration::from_secs(GRACE);
    let mut options =
        Options { networks: Vec::new(), keep: Vec::new(), dry_run: false, yes: false, grace, every: None };
    let mut words = Words::new("gc", arguments);
    while let Some(word) = words.next()? {
        match &word {
            Word::Plain(network) => options.networks.push(words.plain(network)?),
            Word::Option(name) => match name.as_str() {
                "-h" | "--help" => return Ok(Command::Help),
                "--dry-run" => options.dry_run = true,
                "--yes" => options.yes = true,
                "--keep" => {
                    let text = words.text("--keep")?;
                    let unknown = || words.wrong(&format!("--keep {}: it takes {SOURCES}", excerpt(&text)));
                    options.keep.push(Keep::parse(&text).ok_or_else(unknown)?);
                }
                "--grace" => options.grace = seconds(&mut words, "--grace")?,
                "--every" => options.every = Some(seconds(&mut words, "--every")?),
                _ => return Err(words.unknown(&word)),
            },
        }
    }
    if options.keep.is_empty() {
        return Err(words.wrong(&format!("who is alive? --keep takes {SOURCES}")));
    }
    if options.keep.contains(&Keep::Nobody) && options.keep.len() > 1 {
        return Err(words.wrong("--keep none goes with no other --keep"));
    }
    Ok(Command::Gc(options))
}

fn seconds(words: &mut Words<'_>, option: &str) -> Result<Duration> {
    let seconds = words.text(option)?.parse();
    seconds.map(Duration::from_secs).map_err(|_| words.wrong(&format!("{option} takes a number of seconds")))
}

const SOURCES: &str = "crictl, podman, netns-dir=DIR, file=F, - or none";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        super::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_of_gc() {
        let options = Options {
            networks: vec!["a".into(), "b".into()],
            keep: vec![Keep::Crictl, Keep::NetnsDir("/run/netns".into())],
            dry_run: true,
            yes: true,
            grace: Duration::ZERO,
            every: None,
        };
        for line in [
            "--keep crictl --keep netns-dir=/run/netns --dry-run --yes --grace 0 a b",
            "a --keep=crictl b --grace=0 --keep=netns-dir=/run/netns --yes --dry-run",
        ] {
            assert_eq!(parse(line).unwrap(), Command::Gc(options.clone()));
        }
        for (line, what) in [
            ("", "who is alive?"),
            ("net", "who is alive?"),
            ("--keep", "--keep needs a value"),
            ("--keep docker", "--keep \"docker\": it takes crictl, podman"),
            ("--keep none --keep podman", "--keep none goes with no other"),
            ("--keep none --grace x", "--grace takes a number"),
            ("--keep podman --every x", "--every takes a number"),
            ("--keep none --force", "unknown option \"--force\""),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(what) && error.contains("\nusage: cnitool gc --keep"), "{line}: {error}");
        }
    }
}
