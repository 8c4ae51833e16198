//! DEL and GC.

use cni_skel::delegate::Verb;
use cni_skel::{Delegates, Detachment, tell};
use cni_types::{Code, Error, Failures, Json, Network, Result, SpecVersion, Stale};

use crate::delegate::Delegate;
use crate::saved::{Saved, SavedConf, StaleConf};

/// Runs the delegate's DEL with the configuration of its ADD. Nothing saved: nothing was made.
///
/// # Errors
/// The delegate's own, and the configuration stays for the next DEL; code 5 when it cannot be read or removed.
pub(crate) fn del(delegates: &Delegates, detachment: &Detachment) -> Result<()> {
    let (id, network) = (&detachment.id, &detachment.network);
    let saved = Saved::of(network);
    let (name, delegate) = match saved.find(id)? {
        SavedConf::Nothing => return saved.remove_draft(id),
        SavedConf::Read(name, delegate) => (name, delegate),
        SavedConf::Unreadable(name, error) => {
            warn(&error);
            // What is made is found by network, container and interface: today's configuration does as well.
            match Delegate::of(network) {
                Ok(delegate) => (name, delegate),
                Err(error) => {
                    warn(&error.doing("the delegate's DEL was not run, and the file stays"));
                    return Ok(());
                }
            }
        }
    };
    with_prev_result(delegate, network).run(delegates, Verb::Del, network)?;
    saved.remove_if_present(id, &name)
}

/// The delegate is told what the runtime says that ADD has made, in the version of the saved configuration. It does
/// without where there is nothing to tell, but then takes more for its own, such as a chain that the container's
/// attachments share.
fn with_prev_result(delegate: Delegate, network: &Network) -> Delegate {
    let result = || {
        let version = SpecVersion::find(delegate.conf.get_str("cniVersion").unwrap_or_default())?;
        let text = network.prev_result().ok()??.to_json(version).ok()?;
        Json::parse(text.as_bytes()).ok()
    };
    match result() {
        Some(result) => delegate.with("prevResult", &result),
        None => delegate,
    }
}

/// Runs the delegate's DEL for every saved configuration whose attachment is no longer valid, then its GC for what else
/// it may have.
///
/// # Errors
/// All failures, folded.
pub(crate) fn gc(delegates: &Delegates, network: &Network, owners: &Stale<'_>) -> Result<()> {
    let saved = Saved::of(network);
    let mut failures = Failures::new();
    let collect = |stale: StaleConf| {
        stale.delegate.del(delegates, &stale.id, network)?;
        saved.remove_if_present(&stale.id, &stale.name)
    };
    for stale in failures.note(saved.stale(owners)).into_iter().flatten() {
        failures.note(stale.and_then(collect));
    }
    match Delegate::of(network) {
        Err(error) if error.code == Code::TRY_AGAIN => {
            warn(&error.doing("the delegate's GC was not run"));
        }
        delegate => drop(failures.note(delegate.and_then(|delegate| forward(delegates, &delegate, network)))),
    }
    failures.fold()
}

fn forward(delegates: &Delegates, delegate: &Delegate, network: &Network) -> Result<()> {
    let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"];
    let given = keys.into_iter().filter(|key| network.json().has(key));
    let delegate = given.fold(delegate.clone(), |delegate, key| {
        delegate.with(key, network.json().get(key).unwrap_or(&Json::Null))
    });
    delegate.run(delegates, Verb::Gc, network).map(drop)
}

fn warn(error: &Error) {
    tell(format_args!("flannel: {error}"));
}
