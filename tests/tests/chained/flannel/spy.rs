//! A delegate that is a shell script: it notes what it is called with, and answers as told.

use cni_tests::{Call, Conf, Host, Place};
use serde_json::{Value, json};

const DIR: &str = "/run/spy";

/// The script.
pub(crate) struct Spy;

impl Spy {
    /// ADD prints a result with one address; every other verb succeeds.
    pub(crate) fn new(host: &Host) -> Self {
        Self::answering(host, "")
    }

    /// These shell commands run first, with the verb in `$1`.
    pub(crate) fn answering(host: &Host, commands: &str) -> Self {
        let result = json!({ "cniVersion": "1.0.0", "ips": [{ "address": "10.244.7.9/24" }] });
        let script = format!(
            "#!/bin/sh\necho \"$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME\" >> {DIR}/calls\ncat > {DIR}/input\n\
             set -- $CNI_COMMAND\n{commands}\n[ $1 != ADD ] || echo '{result}'\n"
        );
        host.run(&format!("mkdir -p {DIR}"));
        host.feed(&format!("dd of={DIR}/spy"), &script);
        host.run(&format!("chmod 755 {DIR}/spy"));
        Self
    }

    /// A call of `flannel` that finds the script and nothing else.
    pub(crate) fn flannel(&self, host: &Host) -> Call {
        host.plugin("flannel").env("CNI_PATH", DIR)
    }

    /// What the last call got on stdin: the text, and read.
    pub(crate) fn input(&self) -> (String, Value) {
        let text = std::fs::read_to_string(format!("{DIR}/input")).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    /// `<verb> <container id> <ifname>` of every call since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        let path = format!("{DIR}/calls");
        let calls = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::remove_file(&path).ok();
        calls.lines().map(|line| line.trim().to_owned()).collect()
    }
}

/// The configuration with the script as its delegate.
pub(crate) fn spied(conf: Conf) -> Conf {
    conf.set("delegate", json!({ "type": "spy" }))
}
