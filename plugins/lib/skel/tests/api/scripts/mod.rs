//! Delegates as shell scripts in a directory of their own.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cni_skel::delegate::Verb;
use cni_skel::{Attachment, Delegates, Detachment};
use cni_types::{
    AttachmentId, ContainerId, IfName, Json, Network, NetworkName, PluginName, Result, SpecVersion,
};

/// A directory that goes away with the value.
pub(crate) struct Scripts(pub(crate) PathBuf);

impl Scripts {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cni-skel-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// One plugin `fake` that notes each verb in the file `log`, then does `body`. `$DIR` is this directory.
    pub(crate) fn with(body: &str) -> Self {
        let scripts = Self::new();
        scripts.write("fake", body, 0o755);
        scripts
    }

    pub(crate) fn write(&self, name: &str, body: &str, mode: u32) {
        let (file, dir) = (self.0.join(name), self.0.display());
        let text = format!("#!/bin/sh\nDIR={dir}\necho $CNI_COMMAND >>$DIR/log\n{body}\n");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn run(&self, verb: Verb, conf: &[u8]) -> Result<Vec<u8>> {
        Delegates::default().run(verb, &PluginName::new("fake").unwrap(), std::slice::from_ref(&self.0), conf)
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap_or_default()
    }

    /// The verbs the plugin was run with, in order.
    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.read("log")).unwrap().trim().replace('\n', " ")
    }

    pub(crate) fn network(&self, version: SpecVersion, conf: &str) -> Network {
        let json = Json::parse(conf.as_bytes()).unwrap();
        let name = NetworkName::new("net").unwrap();
        let mut network = Network::new(name, version, json, conf.as_bytes().to_vec());
        network.cni_path = vec![self.0.clone()];
        network
    }

    pub(crate) fn attachment(&self, version: SpecVersion, conf: &str) -> Attachment {
        let id = AttachmentId {
            network: NetworkName::new("net").unwrap(),
            container_id: ContainerId::new("a").unwrap(),
            ifname: IfName::new("eth0").unwrap(),
        };
        Attachment {
            id,
            netns: PathBuf::from("/nonexistent"),
            network: self.network(version, conf),
            is_repeated: Cell::default(),
        }
    }

    pub(crate) fn detachment(&self, version: SpecVersion, conf: &str) -> Detachment {
        let Attachment { id, netns, network, .. } = self.attachment(version, conf);
        Detachment { id, netns: Some(netns), network }
    }
}

impl Drop for Scripts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
