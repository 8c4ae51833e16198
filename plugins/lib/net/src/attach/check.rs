//! CHECK.

use cni_skel::Attachment;
use cni_skel::delegate::ipam;
use cni_types::{Interface, Result};

use super::Site;
use crate::check;
use crate::link::Link;

/// Compares link, addresses and routes with the previous result; `own` compares what is particular to the plugin, of the
/// link as it is and as the result's entry says. `kind` is the kernel's word for the link's kind.
///
/// # Errors
/// Code 103 with the first difference; those of the IPAM plugin.
pub fn check(
    attachment: &Attachment,
    kind: &str,
    own: impl FnOnce(&Site<'_>, &Link, &Interface) -> Result<()>,
) -> Result<()> {
    let site = Site::open(attachment)?;
    ipam::check(attachment)?;
    let result = check::prev_result(attachment)?;
    let link = check::container(&site.inside, attachment, &result, kind)?;
    own(&site, &link, check::container_entry(attachment, &result)?.1)
}
