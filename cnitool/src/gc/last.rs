//! What the last GC came to, for `metrics`: a file of the node, gone with a reboot.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cni_skel::{ensure_dir, read_own, replace_file, tell};
use cni_types::Json;
use serde::{Deserialize, Serialize};

const DIR: &str = "/run/cni";
const FILE: &str = "/run/cni/gc.json";
const DRAFT: &str = "/run/cni/.gc.json";

/// What became of what was judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Collected {
    pub(super) removed: usize,
    /// Those that nobody has proven dead.
    pub(super) spared: usize,
    /// Whether something that should have gone is still there.
    pub(super) is_incomplete: bool,
}

/// The last run that was not dry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LastRun {
    /// Seconds since 1970.
    pub(crate) finished: u64,
    /// That of the last one that did all it should have done; 0 where none has.
    pub(crate) succeeded: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Attachments.
    pub(crate) removed: usize,
    pub(crate) spared: usize,
    pub(crate) failed: bool,
}

impl LastRun {
    /// `None` where there was none since the node has booted, or the file is none.
    pub(crate) fn read() -> Option<Self> {
        Json::parse(&read_own(Path::new(FILE)).ok()?).ok()?.decode().ok()
    }

    /// Notes a run that has just finished; `None` for one that could not begin. No GC fails for that.
    pub(super) fn note(collected: Option<Collected>, took: Duration) {
        let finished = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let failed = collected.is_none_or(|collected| collected.is_incomplete);
        let Collected { removed, spared, .. } = collected.unwrap_or_default();
        let before = Self::read().unwrap_or_default().succeeded;
        let succeeded = if failed { before } else { finished };
        let run = Self { finished, succeeded, seconds: took.as_secs_f64(), removed, spared, failed };
        let text = serde_json::to_vec(&run).unwrap_or_default();
        let written =
            ensure_dir(Path::new(DIR)).and_then(|()| replace_file(Path::new(FILE), Path::new(DRAFT), &text));
        if let Err(e) = written {
            tell(format_args!("cannot note for the metrics what this run came to in {FILE}: {e}"));
        }
    }
}
