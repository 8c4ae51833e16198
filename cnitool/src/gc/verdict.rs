//! What becomes of an attachment: only what is proven dead goes.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cni_types::NetworkName;

use super::keep::Living;
use crate::attachments::{Attachment, State};
use crate::kernel::Link;

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its container is in the list.
    Alive,
    /// It goes, for this reason.
    Dead(&'static str),
    /// Nobody has proven it dead: it stays, for this reason.
    Spared(String),
}

/// What verdicts go by.
pub(super) struct Court<'a> {
    pub(super) living: &'a Living,
    /// The networks that the list speaks of: it names one of their attachments, or the person has named them.
    pub(super) known: HashSet<NetworkName>,
    /// How old an attachment has to be that is not in the list: a pod in the making is not, yet.
    pub(super) grace: Duration,
}

impl Court<'_> {
    pub(super) fn judge(&self, attachment: &Attachment) -> Verdict {
        if is_alive(attachment, self.living) {
            return Verdict::Alive;
        }
        if attachment.id.is_none() {
            return Verdict::Spared(
                "what is left does not say whose it is: `--keep none` on a drained node".into(),
            );
        }
        match &attachment.state {
            State::NoNamespace => Verdict::Dead("its namespace is gone"),
            State::Leaked => Verdict::Dead("no namespace has it"),
            State::NoCache => {
                Verdict::Spared("its interface is in a namespace, and it may be in the making".into())
            }
            State::Unknown(_) if self.is_left_behind(attachment) => {
                Verdict::Dead("it is not in the list, nor seen anywhere")
            }
            State::Unknown(why) => Verdict::Spared(why.clone()),
            State::Ok | State::Damaged(_) => self.of_a_namespace(attachment),
        }
    }

    /// Without a file, where not every process's namespace can be looked at: one in the making would be in a namespace
    /// that has a name.
    fn is_left_behind(&self, attachment: &Attachment) -> bool {
        let is_attached = attachment.host_link.as_ref().is_some_and(Link::leads_elsewhere);
        let has_nothing = attachment.file.is_none() && attachment.link.is_none() && !is_attached;
        has_nothing && self.living.is_list && self.speaks_of(attachment)
    }

    fn speaks_of(&self, attachment: &Attachment) -> bool {
        attachment.network.as_ref().is_some_and(|network| self.known.contains(network))
    }

    /// The namespace is still there: the list alone says that nobody is in it.
    fn of_a_namespace(&self, attachment: &Attachment) -> Verdict {
        if !self.living.is_list {
            return Verdict::Spared("its namespace is there".into());
        }
        if attachment.kept.is_none() {
            return Verdict::Spared("its cache file cannot be read".into());
        }
        if !self.speaks_of(attachment) {
            return Verdict::Spared(
                "the list has nobody of this network: name the network if it is the right one".into(),
            );
        }
        match attachment.file.as_deref().and_then(age) {
            Some(age) if age >= self.grace => Verdict::Dead("its container is not in the list"),
            _ => Verdict::Spared("it is new, and may not be in the list yet".into()),
        }
    }
}

/// By its container id, or by its namespace.
pub(super) fn is_alive(attachment: &Attachment, living: &Living) -> bool {
    let netns = attachment.kept.as_ref().and_then(|kept| kept.conf.netns.as_deref());
    attachment.id.as_ref().is_some_and(|id| living.has(&id.container_id))
        || netns.is_some_and(|netns| living.has_netns(netns))
}

/// How long ago the file was written; `None` for one that is gone, or of the future.
fn age(file: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::metadata(file).ok()?.modified().ok()?).ok()
}
