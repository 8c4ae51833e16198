//! `cnitool metrics`: the node's attachments in numbers, in Prometheus' text format.

mod exposition;
mod gather;
mod listen;
mod range;
mod runs;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cni_skel::replace_file;
use cni_types::{Doing, Result};

/// Where the numbers go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum To {
    #[default]
    Stdout,
    /// For node_exporter's textfile collector.
    File(PathBuf),
    /// HTTP, until the process is ended.
    Address(SocketAddr),
}

/// Gives what is for stdout.
///
/// # Errors
/// Code 4 for a bad variable, code 5 when the file cannot be written or the address not be listened on.
pub(crate) fn run(to: &To) -> Result<String> {
    match to {
        To::Stdout => gather::text(),
        To::File(file) => {
            let text = gather::text()?;
            let written = replace_file(file, &draft(file), text.as_bytes());
            written.doing(format!("cannot write the metrics to {}", file.display()))?;
            Ok(String::new())
        }
        To::Address(address) => {
            listen::serve(*address).doing(format!("cannot serve metrics on {address}"))?;
            Ok(String::new())
        }
    }
}

/// Beside the file, under a name that node_exporter does not read.
fn draft(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.draft"))
}
