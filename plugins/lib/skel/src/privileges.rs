//! What a process that is not root lacks, when the kernel has refused it something.

use std::fs;

use cni_types::Error;

/// What the suite's plugins need (capabilities(7)): for links and filters, to enter a namespace, to write state.
const NEEDED: [(u32, &str); 3] = [(12, "CAP_NET_ADMIN"), (21, "CAP_SYS_ADMIN"), (1, "CAP_DAC_OVERRIDE")];

/// The error, with the capabilities that the process does not have if that may be why.
pub(crate) fn explain(mut error: Error) -> Error {
    let is_refusal = ["EPERM", "EACCES"].iter().any(|errno| error.details.contains(errno));
    if !is_refusal || error.details.contains("run it as root") {
        return error;
    }
    let missing = effective().map(missing).unwrap_or_default();
    if !missing.is_empty() {
        let names = missing.join(", ");
        error.details = format!("{}; the plugin does not have {names}: run it as root", error.details);
    }
    error
}

/// The capabilities that the process has, a bit each.
pub(crate) fn effective() -> Option<u64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

/// `CapEff` in a process's status (proc(5)).
fn parse(status: &str) -> Option<u64> {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(effective.trim(), 16).ok()
}

fn missing(effective: u64) -> Vec<&'static str> {
    NEEDED.into_iter().filter(|(bit, _)| (effective >> bit) & 1 == 0).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(parse("Name:\tx\nCapEff:\t000001ffffffffff\n").map(missing), Some(Vec::new()));
        assert_eq!(parse("CapEff:\t0000000000001002\n").map(missing), Some(vec!["CAP_SYS_ADMIN"]));
        assert_eq!(missing(0).len(), 3);
        assert_eq!(parse("garbage"), None);
    }
}
