//! What was measured, and its quantiles.

use crate::chain::Done;

/// The samples of one case, verb and suite.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    /// In the unit of the case.
    pub(crate) values: Vec<f64>,
    /// CPU time in microseconds, where the values are times.
    pub(crate) cpu: Vec<f64>,
    /// Peak memory in kB.
    pub(crate) memory: i64,
    /// How many failed, and the first's words.
    pub(crate) failures: (usize, String),
}

impl Samples {
    pub(crate) fn push(&mut self, done: &Done) {
        if let Some(error) = &done.error {
            return self.fail(error);
        }
        self.values.push(done.wall());
        self.cpu.push(done.cpu());
        self.memory = self.memory.max(done.memory());
    }

    pub(crate) fn fail(&mut self, error: &str) {
        if self.failures.0 == 0 {
            error.clone_into(&mut self.failures.1);
        }
        self.failures.0 += 1;
    }

    pub(crate) fn median(&self) -> f64 {
        quantile(&self.values, 0.5)
    }
}

/// The value that this part of the values does not exceed; not a number without any.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1)) as f64 * part;
    sorted.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}
