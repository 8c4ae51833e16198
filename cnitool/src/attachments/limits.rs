//! The limits that an attachment was given.

use std::fmt;

use cni_types::Json;
use serde::Deserialize;

use crate::cache::Kept;

/// Bits per second in each direction, as the container sees it; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Limits {
    /// What it receives.
    pub(crate) ingress_rate: u64,
    /// What it sends.
    pub(crate) egress_rate: u64,
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = [("in", self.ingress_rate), ("out", self.egress_rate)];
        let said =
            rates.iter().filter(|(_, rate)| *rate > 0).map(|(way, rate)| format!("{way} {}", short(*rate)));
        f.write_str(&said.collect::<Vec<_>>().join(" "))
    }
}

/// With the largest unit that leaves a whole number.
fn short(rate: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = units.iter().find(|(size, _)| rate >= *size && rate % *size == 0);
    unit.map_or_else(|| rate.to_string(), |(size, name)| format!("{}{name}", rate / size))
}

impl Kept {
    /// What the runtime says comes before what the plugin's configuration says.
    pub(crate) fn limits(&self) -> Limits {
        let plugin = self.list.plugins.iter().find(|plugin| plugin.name.as_str() == "bandwidth");
        let Some(plugin) = plugin else { return Limits::default() };
        let told = self.conf.capability_args.get("bandwidth").filter(|_| plugin.has_capability("bandwidth"));
        let read = |json: &Json| json.decode::<Limits>().ok();
        told.and_then(read).or_else(|| read(&plugin.object)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_the_largest_unit_that_leaves_a_whole_number() {
        let text = |ingress_rate, egress_rate| Limits { ingress_rate, egress_rate }.to_string();
        assert_eq!(text(0, 0), "");
        assert_eq!(text(10_000_000, 0), "in 10M");
        assert_eq!(text(2_000_000_000, 1_500), "in 2G out 1500");
        assert_eq!(text(0, 8_000), "out 8k");
    }
}
