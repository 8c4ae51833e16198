//! What a plugin answers with, but for results: what it says of itself, its versions, an error.

use std::io::{self, Write};

use cni_trace::phase;
use cni_types::{Error, Json, Result, SpecVersion};

use crate::plugin::About;

/// The last line of what every plugin of this suite says of itself when it is run without `CNI_COMMAND`.
pub const SUITE: &str = "CNI plugins in Rust";

pub(crate) fn error_object(error: &Error) -> String {
    let mut members = vec![
        ("cniVersion".to_owned(), Json::String(SpecVersion::CURRENT.to_string())),
        ("code".to_owned(), Json::Number(error.code.0.into())),
        ("msg".to_owned(), Json::String(error.msg.clone())),
    ];
    if !error.details.is_empty() {
        members.push(("details".to_owned(), Json::String(error.details.clone())));
    }
    Json::Object(members).pretty()
}

/// What a plugin says of itself. Runtimes read the version from the first line, so nothing else is on it; the last line
/// tells this suite's executables from others' that say the rest alike.
pub(crate) fn about_text(about: &About) -> String {
    let versions: Vec<_> = about.versions.iter().map(|v| v.as_str()).collect();
    format!(
        "CNI {} plugin v{}\nCNI protocol versions supported: {}\n{SUITE}\n",
        about.name,
        env!("CARGO_PKG_VERSION"),
        versions.join(", ")
    )
}

/// Compact and with a final newline, unlike every other answer.
pub(crate) fn version_reply(about: &About) -> String {
    // Runtimes ask often: one allocation, and no formatting.
    let mut reply = String::with_capacity(256);
    reply.extend(["{\"cniVersion\":\"", SpecVersion::CURRENT.as_str(), "\",\"supportedVersions\":["]);
    for (at, version) in about.versions.iter().enumerate() {
        reply.extend([if at == 0 { "\"" } else { ",\"" }, version.as_str(), "\""]);
    }
    reply.push_str("]}\n");
    reply
}

/// Writes an answer: in one write, so that nobody reads half of one.
///
/// # Errors
/// Code 5.
pub(crate) fn write(stdout: &mut dyn Write, text: &str) -> Result<()> {
    let _writing = phase("answer");
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|e| Error::io("cannot write the result to stdout", &e))
}

/// A writer that remembers whether any byte went out: after a document that was cut off, none other may follow.
pub(crate) struct Tracked<'a> {
    inner: &'a mut dyn Write,
    pub(crate) started: bool,
}

impl<'a> Tracked<'a> {
    pub(crate) fn new(inner: &'a mut dyn Write) -> Self {
        Self { inner, started: false }
    }
}

impl Write for Tracked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.started |= written > 0;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
