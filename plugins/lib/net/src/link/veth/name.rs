//! What host ends are called.

use cni_types::{AttachmentId, hex};

/// How many host names are tried when one is taken.
pub(super) const NAME_TRIES: u32 = 10;

/// The name of the attachment's host end: derived from its identity, so that DEL and GC find it; `attempt` counts up
/// when another link has the name.
pub fn host_name(id: &AttachmentId, attempt: u32) -> String {
    let salt = if attempt == 0 { String::new() } else { format!("/{attempt}") };
    format!("veth{}", hex(&format!("{}{salt}", id.tag_prefix()), 8))
}
