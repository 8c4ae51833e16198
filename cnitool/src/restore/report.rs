//! What the person, or the journal, reads.

use std::process::ExitCode;

use cni_skel::tell;
use cni_types::{AttachmentId, Error, Result};

use super::chain::Outcome;
use crate::output::{print, with_code};
use crate::table::table;

/// Rows for what was put back, errors on stderr, and the sum.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<[String; 4]>,
    whole: usize,
    gone: usize,
    failed: usize,
}

impl Report {
    pub(super) fn unreadable(&mut self, error: &Error) {
        self.failed += 1;
        tell(with_code(error));
    }

    pub(super) fn outcome(&mut self, id: &AttachmentId, outcome: &Outcome) {
        let AttachmentId { network, container_id, ifname } = id;
        match outcome {
            Outcome::Gone => self.gone += 1,
            Outcome::Whole => self.whole += 1,
            Outcome::Changed { put_back, failed, .. } => {
                if !put_back.is_empty() {
                    let names = [network.to_string(), container_id.to_string(), ifname.to_string()];
                    let [network, container_id, ifname] = names;
                    self.rows.push([network, container_id, ifname, put_back.join(", ")]);
                }
                self.failed += usize::from(!failed.is_empty());
                for error in failed {
                    let error = with_code(error);
                    tell(format_args!("{network} {container_id} {ifname}: {error}"));
                }
            }
        }
    }

    pub(super) fn finish(self) -> Result<ExitCode> {
        let Self { rows, whole, gone, failed } = self;
        let mut text = table("", &rows);
        text.push_str(&format!("{} put back, {whole} whole", rows.len()));
        for (count, what) in [(gone, "without a namespace"), (failed, "FAILED")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        print(&(text + "\n"))?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
