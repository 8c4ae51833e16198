//! Running a host-local executable in a data directory of the test's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// A data directory, removed when dropped.
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("host-local-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(unique);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The directory of the network `n`, which is the one of all tests.
    pub(crate) fn network(&self) -> PathBuf {
        self.0.join("n")
    }

    /// A configuration of cniVersion 1.0.0 with these `ipam` keys beside `dataDir`.
    pub(crate) fn conf(&self, mut ipam: Value) -> Value {
        ipam["type"] = "host-local".into();
        ipam["dataDir"] = self.0.to_str().unwrap().into();
        json!({ "cniVersion": "1.0.0", "name": "n", "type": "bridge", "ipam": ipam })
    }

    /// A configuration with one range set of one subnet.
    pub(crate) fn subnet(&self, subnet: &str) -> Value {
        self.conf(json!({ "ranges": [[{ "subnet": subnet }]] }))
    }

    /// All files of the network and their contents, but the lock and the index.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let Ok(entries) = fs::read_dir(self.network()) else { return BTreeMap::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| name != "lock" && name != ".host-local.index");
        names
            .map(|name| {
                let content = fs::read(self.network().join(&name)).unwrap_or_default();
                (name, String::from_utf8_lossy(&content).into_owned())
            })
            .collect()
    }

    /// The reservations: the files that are not the round robin's.
    pub(crate) fn reservations(&self) -> BTreeMap<String, String> {
        self.files().into_iter().filter(|(name, _)| !name.starts_with("last_reserved_ip.")).collect()
    }

    /// Writes a reservation (or anything else) as another program would.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::create_dir_all(self.network()).unwrap();
        fs::write(self.network().join(name), content).unwrap();
    }

    pub(crate) fn has_index(&self) -> bool {
        self.network().join(".host-local.index").exists()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One invocation.
pub(crate) struct Call {
    command: Command,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) ok: bool,
    /// What was on stdout; null when nothing was.
    pub(crate) json: Value,
}

impl Call {
    pub(crate) fn new(verb: &str, id: &str) -> Self {
        Self::by(&ours(), verb, id)
    }

    /// The same by another executable.
    pub(crate) fn by(program: &Path, verb: &str, id: &str) -> Self {
        Self::under(&[], program, verb, id)
    }

    /// The same by a program that runs it, such as strace.
    pub(crate) fn under(wrapper: &[&str], program: &Path, verb: &str, id: &str) -> Self {
        let mut words = wrapper.iter().map(Into::into).chain([program.as_os_str().to_owned()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("CNI_PATH", "/nonexistent");
        command.env("CNI_COMMAND", verb).env("CNI_NETNS", "/nonexistent/netns");
        command.env("CNI_CONTAINERID", id).env("CNI_IFNAME", "eth0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn start(mut self, conf: &Value) -> Child {
        let mut child = self.command.spawn().unwrap();
        // A process that was killed does not read.
        let _ = child.stdin.take().unwrap().write_all(conf.to_string().as_bytes());
        child
    }

    pub(crate) fn run(self, conf: &Value) -> Reply {
        Reply::of(self.start(conf))
    }
}

impl Reply {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let json = if stdout.is_empty() { Value::Null } else { serde_json::from_str(&stdout).unwrap() };
        assert_ne!(json["code"], 999, "{stdout} is of no use to anybody (unless it is the reference's)");
        Self { ok: output.status.success(), json }
    }

    /// The addresses of a result, which this has to be.
    pub(crate) fn ips(&self) -> Vec<String> {
        assert!(self.ok, "{}", self.json);
        let ips = self.json["ips"].as_array().cloned().unwrap_or_default();
        ips.iter().map(|ip| ip["address"].as_str().unwrap().to_owned()).collect()
    }

    /// Success without a word, as DEL, CHECK, GC and STATUS have it.
    pub(crate) fn done(&self) {
        assert!(self.ok && self.json.is_null(), "{}", self.json);
    }

    /// The code of an error, and its message and details in one text.
    pub(crate) fn error(&self) -> (u64, String) {
        assert!(!self.ok, "this should have failed: {}", self.json);
        let text = |key: &str| self.json[key].as_str().unwrap_or_default().to_owned();
        (self.json["code"].as_u64().unwrap(), format!("{}; {}", text("msg"), text("details")))
    }
}

pub(crate) fn ours() -> PathBuf {
    env!("CARGO_BIN_EXE_host-local").into()
}

/// A program the test needs. Without it the test is skipped, or fails when `CNI_TEST_STRICT` is 1.
pub(crate) fn program(paths: &[&str]) -> Option<PathBuf> {
    let found = paths.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        skip(&format!("none of {paths:?} is installed"));
    }
    found
}

pub(crate) fn skip(reason: &str) {
    assert!(std::env::var("CNI_TEST_STRICT").as_deref() != Ok("1"), "{reason}");
    eprintln!("skipped: {reason}");
}

/// The reference, from Debian's containernetworking-plugins.
pub(crate) fn reference() -> Option<PathBuf> {
    program(&["/usr/lib/cni/host-local", "/opt/cni/bin/host-local"])
}

pub(crate) fn strace() -> Option<PathBuf> {
    program(&["/usr/bin/strace"])
}
