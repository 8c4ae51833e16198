//! The node's default: configurations are often generated and cannot be edited, and a node's administrator still knows
//! which packet filter its pods are to use.

use std::io;
use std::path::Path;

use cni_skel::read_own;
use cni_types::{Error, FromText, Result, errno_text, excerpt};

use super::Backend;

/// A word, `iptables` or `nftables`. Without the file the reference's rule counts.
const FILE: &str = "/etc/cni/packet-filter";

impl Backend {
    /// What the configuration asks for; where it does not say, what this node's `/etc/cni/packet-filter` says, if there
    /// is one. For what is made, looked at or asked about; DEL and GC remove both backends' whatever is said.
    ///
    /// # Errors
    /// Code 7 naming the file when it holds anything else, or cannot be read.
    pub fn or_of_node(configured: Option<Self>) -> Result<Option<Self>> {
        if configured.is_some() {
            return Ok(configured);
        }
        let wrong = |why: String| {
            Error::config(format!("{FILE} does not say which packet filter this node uses"))
                .because(format!("{why}; it is a file with the word iptables or nftables, or is not there"))
        };
        let bytes = match read_own(Path::new(FILE)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(wrong(errno_text(&e))),
            Ok(bytes) => bytes,
        };
        let text = String::from_utf8_lossy(&bytes);
        match Self::from_text(text.trim_ascii()) {
            Ok(backend) => Ok(Some(backend)),
            Err(_) => Err(wrong(format!("it says {}", excerpt(text.trim_ascii())))),
        }
    }
}
