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
    let missing = fs::read_to_string("/proc/self/status").map(|status| missing(&status)).unwrap_or_default();
    if !missing.is_empty() {
        let names = missing.join(", ");
        error.details = format!("{}; the plugin does not have {names}: run it as root", error.details);
    }
    error
}

/// Those that `CapEff` in a process's status (proc(5)) lacks.
fn missing(status: &str) -> Vec<&'static str> {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let Some(effective) = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()) else {
        return Vec::new();
    };
    NEEDED.into_iter().filter(|(bit, _)| (effective >> bit) & 1 == 0).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing("Name:\tx\nCapEff:\t000001ffffffffff\n"), [""; 0]);
        assert_eq!(missing("CapEff:\t0000000000001002\n"), ["CAP_SYS_ADMIN"]);
        assert_eq!(missing("CapEff:\t0000000000000000\n").len(), 3);
        assert_eq!(missing("garbage"), [""; 0]);
    }
}
