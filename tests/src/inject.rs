//! Faults on purpose.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

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
        Self::that_runs_on(host, "ADD", commands)
    }

    /// One verb runs these shell commands; any other succeeds.
    pub fn that_runs_on(host: &Host, verb: &str, commands: &str) -> Self {
        let note = format!("echo $CNI_COMMAND >> {CALLS}\ncat > /dev/null\n");
        let script = format!("#!/bin/sh\n{note}[ $CNI_COMMAND = {verb} ] || exit 0\n{commands}\n");
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

/// Another process that holds the lock file `path` (a BSD lock, as `flock(1)` takes it) until this is dropped.
#[derive(Debug)]
pub struct HeldLock {
    holder: Child,
}

impl HeldLock {
    /// Takes the lock; it is held on return.
    pub fn new(path: &str) -> Self {
        let mut flock = Command::new("flock");
        flock.args(["--no-fork", path, "sh", "-c", "echo held; exec sleep infinity"]);
        let mut holder = flock.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self { holder }
    }

    /// The holder's process id.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}
