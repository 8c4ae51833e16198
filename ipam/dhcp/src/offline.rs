//! Ending leases without a daemon.
//!
//! The namespace is usually gone by the time a daemon is started again, and with it the interface a release has to come
//! from. So the plugin sends it now; an order in the state directory is for what it cannot do, and for a daemon that is
//! there but hangs.

use std::path::Path;

use cni_types::{AttachmentId, Error, NetworkName, Result};

use crate::record::LeaseRecord;
use crate::state::State;

/// DEL. `down`: nobody listens on the socket, so nobody else has the lease. The daemon may have seen the namespace
/// under another path than `netns` (`-hostprefix`).
///
/// # Errors
/// Code 5 when the state directory cannot be written to.
pub(crate) fn del(state: &State, id: &AttachmentId, netns: Option<&Path>, down: bool) -> Result<()> {
    match state.find(id) {
        Ok(Some(mut record)) => {
            if let Some(netns) = netns {
                netns.clone_into(&mut record.place.netns);
            }
            end(state, &record, down)
        }
        // What was not written to its end has no name of its own yet; what cannot be read, nobody else can read either.
        Ok(None) | Err(_) => state.remove_if_present(id),
    }
}

/// GC.
///
/// # Errors
/// All failures, folded.
pub(crate) fn gc(state: &State, network: &NetworkName, valid: &[AttachmentId], down: bool) -> Result<()> {
    let is_stale = |record: &LeaseRecord| record.id.network == *network && !valid.contains(&record.id);
    // A file that cannot be read says no network.
    let stale = state.all()?.into_iter().filter_map(Result::ok).filter(is_stale);
    Error::all(stale.map(|record| end(state, &record, down)))
}

fn end(state: &State, record: &LeaseRecord, down: bool) -> Result<()> {
    // First, so that nothing is forgotten if this process is killed.
    state.order_release(&record.id)?;
    let sent = if down { record.release() } else { Ok(None) };
    match sent {
        Ok(Some(_)) => state.remove_if_present(&record.id),
        _ => Ok(()),
    }
}
