//! Recording plugins, a cache directory of the test's own, and the values the tests share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use cni_types::{ContainerId, IfName};
use cnitool::cache::Cache;
use cnitool::chain::Runtime;
use cnitool::conflist::NetworkList;
use cnitool::invoke::RuntimeConf;
use serde_json::Value;

/// What a recording plugin answers to ADD unless told otherwise.
pub(crate) const RESULT: &str = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.9.9.9/24"}]}"#;

/// Records one line per call and answers from files beside it.
const RECORDER: &str = r#"#!/bin/sh
dir=${0%/*}; name=${0##*/}
printf '%s|%s|%s %s %s %s %s|%s\n' "$name" "$CNI_COMMAND" \
    "$CNI_CONTAINERID" "$CNI_NETNS" "$CNI_IFNAME" "$CNI_ARGS" "$CNI_PATH" "$(cat)" >> "$dir/calls"
if [ -f "$dir/$name.$CNI_COMMAND" ]; then cat "$dir/$name.$CNI_COMMAND"; exit 1; fi
if [ "$CNI_COMMAND" = ADD ]; then cat "$dir/$name.result"; fi
"#;

/// A directory that is removed with the value.
pub(crate) struct TempDir(pub(crate) PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cnitool-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One call of a recording plugin.
pub(crate) struct Call {
    pub(crate) plugin: String,
    pub(crate) verb: String,
    /// Container id, namespace, interface, arguments, path.
    pub(crate) env: String,
    pub(crate) stdin: String,
}

/// Plugins and a cache in a temporary directory.
pub(crate) struct Bench {
    /// `CNI_PATH`.
    pub(crate) path: PathBuf,
    cache: PathBuf,
    pub(crate) dir: TempDir,
}

impl Bench {
    pub(crate) fn new(plugins: &[&str]) -> Self {
        let dir = TempDir::new();
        let path = dir.0.join("bin");
        fs::create_dir(&path).unwrap();
        let bench = Self { path, cache: dir.0.join("cni/results"), dir };
        for plugin in plugins {
            let file = bench.path.join(plugin);
            fs::write(&file, RECORDER).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
            bench.answer(plugin, RESULT);
        }
        bench
    }

    pub(crate) fn runtime(&self) -> Runtime {
        Runtime { cni_path: vec![self.path.clone()], cache: Cache { dir: self.cache.clone() } }
    }

    pub(crate) fn answer(&self, plugin: &str, result: &str) {
        fs::write(self.path.join(format!("{plugin}.result")), result).unwrap();
    }

    pub(crate) fn fail(&self, plugin: &str, verb: &str, error: &str) {
        fs::write(self.path.join(format!("{plugin}.{verb}")), error).unwrap();
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.path.join("calls")).unwrap_or_default();
        let call = |line: &str| {
            let mut parts = line.splitn(4, '|').map(str::to_owned);
            let mut next = || parts.next().unwrap();
            Call { plugin: next(), verb: next(), env: next(), stdin: next() }
        };
        text.lines().map(call).collect()
    }

    pub(crate) fn forget_calls(&self) {
        let _ = fs::remove_file(self.path.join("calls"));
    }

    pub(crate) fn cache_files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.cache) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn cached(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.cache.join(name)).unwrap()).unwrap()
    }

    pub(crate) fn put_cached(&self, name: &str, text: &str) {
        fs::create_dir_all(&self.cache).unwrap();
        fs::write(self.cache.join(name), text).unwrap();
    }

    /// The permissions of the cache directory and of one of its files.
    pub(crate) fn modes(&self, name: &str) -> (u32, u32) {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        (mode(&self.cache), mode(&self.cache.join(name)))
    }

    /// Decodes with coreutils, not with code of ours.
    pub(crate) fn decode_base64(&self, text: &str) -> String {
        let file = self.dir.0.join("base64");
        fs::write(&file, text).unwrap();
        let output = Command::new("base64").arg("-d").arg(&file).output().unwrap();
        assert!(output.status.success(), "base64 -d: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

pub(crate) fn list(text: &str) -> NetworkList {
    NetworkList::parse(text.as_bytes()).unwrap()
}

pub(crate) fn conf() -> RuntimeConf {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    RuntimeConf {
        container_id: ContainerId::new("c1").unwrap(),
        netns: Some("/run/netns/a".into()),
        ifname: IfName::new("eth0").unwrap(),
        args: vec![pair("K", "v"), pair("L", "w")],
        capability_args: serde_json::from_str(r#"{"mac":"02:00:00:00:00:01","x":1}"#).unwrap(),
    }
}
