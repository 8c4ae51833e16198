//! The IPAM plugin of a network: `ipam.type`, run with the whole unchanged configuration.

use cni_types::{CniResult, Code, Doing, Error, Network, PluginName, Result};

use super::{Delegates, Verb, read_result};
use crate::plugin::{Attachment, Detachment};
use crate::undo::Undo;

/// Gets addresses for the attachment. The release is registered before the answer is looked at, and run too when the
/// delegate's ADD fails, as the specification asks: no path can leak.
///
/// # Errors
/// The delegate's own error; code 102 when it answers garbage or no addresses.
pub fn lease<'a>(
    delegates: &'a Delegates,
    attachment: &'a Attachment,
    undo: &mut Undo<'a>,
) -> Result<CniResult> {
    let network = &attachment.network;
    let name = required(network)?;
    // A delegate that is not there has nothing to release.
    super::find(&name, &network.cni_path)?;
    let release = name.clone();
    undo.push(format!("release the addresses of {name}"), move || {
        run(delegates, Verb::Del, &release, network).map(drop)
    });
    let answer = run(delegates, Verb::Add, &name, network)?;
    let result = read_result(&format!("IPAM plugin {name}"), &answer, network.version)?;
    if result.ips.is_empty() {
        return Err(Error::new(Code::DELEGATE, "IPAM plugin returned missing IP config")
            .because(format!("{name} answered ADD without any address")));
    }
    Ok(result)
}

/// Gives the attachment's addresses back; a network without IPAM has none.
///
/// # Errors
/// The delegate's own error.
pub fn release(delegates: &Delegates, detachment: &Detachment) -> Result<()> {
    forward(delegates, Verb::Del, &detachment.network)
}

/// DEL's two acts in the order that suits the IPAM plugin: removes the container's link by `remove_link`, and gives the
/// addresses back. Those of plugins that only keep books stay reserved when the link could not be removed, since
/// somebody may still be using them. Any other plugin may need the link for it, as dhcp does, and comes first.
///
/// # Errors
/// All failures, folded.
pub fn detach(
    delegates: &Delegates,
    detachment: &Detachment,
    remove_link: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let keeps_books = |name: PluginName| ["host-local", "static"].contains(&name.as_str());
    if detachment.network.ipam_type().ok().flatten().is_none_or(keeps_books) {
        remove_link()?;
        return release(delegates, detachment);
    }
    Error::all([release(delegates, detachment), remove_link()])
}

/// Asks the IPAM plugin whether the attachment still holds its addresses.
///
/// # Errors
/// The delegate's own error.
pub fn check(delegates: &Delegates, attachment: &Attachment) -> Result<()> {
    forward(delegates, Verb::Check, &attachment.network)
}

/// Lets the IPAM plugin free what no valid attachment holds.
///
/// # Errors
/// The delegate's own error.
pub fn gc(delegates: &Delegates, network: &Network) -> Result<()> {
    forward(delegates, Verb::Gc, network)
}

/// Asks the IPAM plugin whether it could serve an ADD.
///
/// # Errors
/// The delegate's own error; code 50 when it is not installed.
pub fn status(delegates: &Delegates, network: &Network) -> Result<()> {
    if let Some(name) = network.ipam_type()? {
        super::find(&name, &network.cni_path)
            .map_err(|e| e.with_code(Code::UNAVAILABLE))
            .doing("the IPAM plugin is not installed")?;
    }
    forward(delegates, Verb::Status, network)
}

/// The configured IPAM plugin of a network that cannot do without.
///
/// # Errors
/// Code 7 when `ipam.type` is missing.
pub fn required(network: &Network) -> Result<PluginName> {
    network.ipam_type()?.map_or_else(|| PluginName::new("").doing("ipam.type is missing"), Ok)
}

fn forward(delegates: &Delegates, verb: Verb, network: &Network) -> Result<()> {
    match network.ipam_type()? {
        Some(name) => run(delegates, verb, &name, network).map(drop),
        None => Ok(()),
    }
}

fn run(delegates: &Delegates, verb: Verb, name: &PluginName, network: &Network) -> Result<Vec<u8>> {
    delegates.run(verb, name, &network.cni_path, network.bytes())
}
