//! What was measured, and its quantiles.

use crate::call::Cost;
use crate::chain::Done;

/// The samples of one case, verb and suite.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    /// In the unit of the verb.
    pub(crate) values: Vec<f64>,
    /// CPU time in microseconds, where the values are times.
    pub(crate) cpu: Vec<f64>,
    /// How many failed, and the first's words.
    pub(crate) failures: (usize, String),
}

impl Samples {
    /// A verb of a whole chain.
    pub(crate) fn push(&mut self, done: &Done) {
        if let Some(error) = &done.error {
            return self.fail(error);
        }
        self.values.push(done.wall());
        self.cpu.push(done.cpu());
    }

    /// A verb of one plugin.
    pub(crate) fn push_one(&mut self, cost: &Cost) {
        if !cost.succeeded {
            return self.fail(&String::from_utf8_lossy(&cost.said));
        }
        self.values.push(cost.wall);
        self.cpu.push(cost.cpu);
    }

    pub(crate) fn fail(&mut self, error: &str) {
        if self.failures.0 == 0 {
            self.failures.1 = error.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        self.failures.0 += 1;
    }

    pub(crate) fn median(&self) -> f64 {
        quantile(&self.values, 0.5)
    }

    pub(crate) fn median_cpu(&self) -> f64 {
        quantile(&self.cpu, 0.5)
    }
}

/// The value that this part of the values does not exceed; not a number without any.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1)) as f64 * part;
    sorted.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}
