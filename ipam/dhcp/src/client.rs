//! The plugin's side: asking the daemon, of this suite or, during an upgrade, of the reference.

mod old;
mod socket;

use std::path::PathBuf;
use std::time::Duration;

use cni_skel::{Attachment, Detachment, tell};
use cni_types::{AttachmentId, CniResult, Doing, Error, NetworkName, Result};

use crate::offline;
use crate::rpc::Method;
use crate::state::State;
use crate::wire::{Request, decode_answer};
use socket::Failure;

/// How long an ADD may take: more than the daemon's `-resendtimeout`, which ends it with the reason.
const PATIENCE_ADD: Duration = Duration::from_secs(300);
/// How long everything else may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The daemon of one socket.
pub(crate) struct Daemon {
    socket: PathBuf,
}

/// What came back.
enum Answer {
    Ours(Result<Option<CniResult>>),
    /// The daemon is the reference's.
    Old,
}

impl Daemon {
    pub(crate) fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// ADD and CHECK.
    ///
    /// # Errors
    /// The daemon's; code 11 when it does not answer.
    pub(crate) fn lease(&self, request: &Request, attachment: &Attachment) -> Result<CniResult> {
        let calling = "error calling DHCP.Allocate";
        let result = match self.ask(request, PATIENCE_ADD).map_err(|failure| failure.error(&self.socket))? {
            Answer::Ours(answer) => answer.doing(calling)?,
            Answer::Old => {
                let Attachment { id, netns, network, .. } = attachment;
                return old::call(&self.socket, Method::Allocate, id, Some(netns), network, PATIENCE_ADD);
            }
        };
        result.ok_or_else(|| Error::decode(format!("{calling}: the daemon's answer has no result")))
    }

    /// DEL.
    ///
    /// # Errors
    /// The daemon's; code 5 when there is none and the lease's file cannot be removed.
    pub(crate) fn release(&self, detachment: &Detachment) -> Result<()> {
        let Detachment { id, netns, network } = detachment;
        match self.ask(&Request::Del(id.clone()), PATIENCE) {
            Ok(Answer::Ours(answer)) => answer.map(drop).doing("error calling DHCP.Release"),
            Ok(Answer::Old) => {
                old::call(&self.socket, Method::Release, id, netns.as_deref(), network, PATIENCE).map(drop)
            }
            Err(failure) => {
                self.without(failure, |state, down| offline::del(state, id, netns.as_deref(), down))
            }
        }
    }

    /// GC.
    ///
    /// # Errors
    /// The daemon's; code 11 when it is the reference's, which cannot; code 5 as for [`Daemon::release`].
    pub(crate) fn collect(&self, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
        match self.ask(&Request::Gc(network.clone(), valid.to_vec()), PATIENCE) {
            Ok(Answer::Ours(answer)) => answer.map(drop),
            Ok(Answer::Old) => Err(Error::try_again(format!(
                "the dhcp daemon on {} is older than the plugin and cannot collect: restart it",
                self.socket.display()
            ))),
            Err(failure) => self.without(failure, |state, down| offline::gc(state, network, valid, down)),
        }
    }

    /// STATUS.
    ///
    /// # Errors
    /// When the daemon does not answer, or could not serve an ADD.
    pub(crate) fn status(&self) -> Result<()> {
        match self.ask(&Request::Status, PATIENCE) {
            Ok(Answer::Ours(answer)) => answer.map(drop),
            Ok(Answer::Old) => Ok(()),
            Err(failure) => Err(failure.error(&self.socket)),
        }
    }

    fn ask(&self, request: &Request, patience: Duration) -> std::result::Result<Answer, Failure> {
        let answer = socket::exchange(&self.socket, &request.encode(), patience)?;
        // What Go's HTTP server says to anything that is no HTTP.
        if answer.starts_with(b"HTTP/") {
            return Ok(Answer::Old);
        }
        Ok(Answer::Ours(decode_answer(&answer)))
    }

    /// Does what can be done without the daemon, and says so.
    fn without(&self, failure: Failure, act: impl FnOnce(&State, bool) -> Result<()>) -> Result<()> {
        let down = matches!(failure, Failure::NotThere(_));
        tell(format_args!("{}; going on without it", failure.error(&self.socket)));
        act(&State::beside(&self.socket), down)
    }
}
