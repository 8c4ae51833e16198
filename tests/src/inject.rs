//! Faults on purpose.

use std::fs;

use serde_json::json;

use crate::{Conf, Host};

/// An IPAM plugin that is a shell script: it notes every call and answers as told.
#[derive(Debug)]
pub struct IpamScript {
    _private: (),
}

const NAME: &str = "ipam-script";
const CALLS: &str = "/run/cni-tests/ipam-calls";

impl IpamScript {
    /// ADD fails with an error object.
    pub fn that_fails(host: &Host, code: u64, msg: &str) -> Self {
        let object = json!({ "cniVersion": "1.0.0", "code": code, "msg": msg });
        Self::that_runs(host, &format!("echo '{object}'; exit 1"))
    }

    /// ADD succeeds and prints `text`, whatever that is.
    pub fn that_prints(host: &Host, text: &str) -> Self {
        Self::that_runs(host, &format!("cat <<'ANSWER'\n{text}\nANSWER"))
    }

    /// ADD runs these shell commands; any other verb succeeds.
    pub fn that_runs(host: &Host, commands: &str) -> Self {
        let note = format!("echo $CNI_COMMAND >> {CALLS}\ncat > /dev/null\n");
        let script = format!("#!/bin/sh\n{note}[ $CNI_COMMAND = ADD ] || exit 0\n{commands}\n");
        host.replace_plugin(NAME, &script);
        Self { _private: () }
    }

    /// The configuration with this plugin as its IPAM.
    #[must_use]
    pub fn for_conf(&self, conf: Conf) -> Conf {
        conf.set("ipam", json!({ "type": NAME }))
    }

    /// The verbs it was called with so far.
    pub fn calls(&self) -> Vec<String> {
        fs::read_to_string(CALLS).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
