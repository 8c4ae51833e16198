//! A plugin that notes its calls and answers as told, and one invocation of it through dispatch.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Read, Write};

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin, dispatch};
use cni_types::{CniResult, Error, IpConfig, Network, Result, SpecVersion};
use serde_json::Value;

pub(crate) const CONF: &str = r#"{"cniVersion":"1.1.0","name":"net","type":"fake"}"#;

type Act = Box<dyn Fn(&str) -> Result<CniResult>>;

/// What a callback was called with, in words: `ADD net a eth0 /ns`.
pub(crate) struct Fake {
    pub(crate) versions: &'static [SpecVersion],
    pub(crate) calls: RefCell<Vec<String>>,
    /// The prevResult of each DEL, and the configuration's bytes as a delegate would get them.
    pub(crate) told: RefCell<Vec<(Option<CniResult>, String)>>,
    /// Whether ADD finds what an ADD before it has made.
    pub(crate) repeats: bool,
    /// The answer to a verb; for all but ADD only its success or error counts.
    pub(crate) act: Act,
}

impl Fake {
    pub(crate) fn new(act: impl Fn(&str) -> Result<CniResult> + 'static) -> Self {
        Self {
            versions: &SpecVersion::ALL,
            calls: RefCell::default(),
            told: RefCell::default(),
            repeats: false,
            act: Box::new(act),
        }
    }

    pub(crate) fn fine() -> Self {
        Self::new(|_| Ok(one_address()))
    }

    fn called(&self, verb: &str, what: String) -> Result<CniResult> {
        self.calls.borrow_mut().push(format!("{verb} {what}"));
        (self.act)(verb)
    }
}

pub(crate) fn one_address() -> CniResult {
    let ip = IpConfig { interface: None, address: "10.0.0.2/24".parse().unwrap(), gateway: None };
    CniResult { ips: vec![ip], ..CniResult::default() }
}

impl Plugin for Fake {
    fn about(&self) -> About {
        About { name: "fake", versions: self.versions }
    }

    fn add(&self, at: &Attachment, _: &Delegates) -> Result<CniResult> {
        let (id, netns) = (&at.id, at.netns.display());
        at.is_repeated.set(self.repeats);
        self.called("ADD", format!("{} {} {} {netns}", id.network, id.container_id, id.ifname))
    }

    fn check(&self, at: &Attachment, _: &Delegates) -> Result<()> {
        let (id, netns) = (&at.id, at.netns.display());
        self.called("CHECK", format!("{} {} {} {netns}", id.network, id.container_id, id.ifname)).map(drop)
    }

    fn del(&self, at: &Detachment, _: &Delegates) -> Result<()> {
        let bytes = String::from_utf8(at.network.bytes().to_vec()).unwrap();
        self.told.borrow_mut().push((at.network.prev_result().ok().flatten(), bytes));
        let id = &at.id;
        let what = format!("{} {} {} {:?}", id.network, id.container_id, id.ifname, at.netns);
        self.called("DEL", what).map(drop)
    }

    fn gc(&self, network: &Network, _: &Delegates) -> Result<()> {
        let valid = network.valid_attachments()?;
        self.called("GC", format!("{} keep {}", network.name, valid.len())).map(drop)
    }

    fn status(&self, network: &Network, _: &Delegates) -> Result<()> {
        self.called("STATUS", network.name.to_string()).map(drop)
    }
}

/// A stdin that must not be touched.
pub(crate) struct Untouchable;

impl Read for Untouchable {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("stdin was read");
    }
}

/// A stdout that fails after `room` bytes and, if it `recovers`, only once; as a stdin it fails at once.
pub(crate) struct Broken {
    pub(crate) room: usize,
    pub(crate) recovers: bool,
    pub(crate) taken: Vec<u8>,
}

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room - self.taken.len());
        self.taken.extend_from_slice(&bytes[..n]);
        if n > 0 {
            return Ok(n);
        }
        if self.recovers {
            self.room = usize::MAX;
        }
        Err(io::Error::from_raw_os_error(28))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(5))
    }
}

pub(crate) struct Outcome {
    pub(crate) status: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The one error object on stdout: (code, msg, details).
    pub(crate) fn error(&self) -> (u64, String, String) {
        assert_eq!(self.status, 1, "{}", self.stdout);
        let object: Value = serde_json::from_str(&self.stdout).expect("exactly one JSON document");
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(object["cniVersion"], "1.1.0");
        (object["code"].as_u64().unwrap(), text("msg"), text("details"))
    }
}

/// One invocation with the environment `env` and nothing else.
pub(crate) fn run(plugin: &Fake, env: &[(&str, &str)], stdin: &[u8]) -> Outcome {
    let lookup = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    run_with(plugin, &lookup, &mut io::Cursor::new(stdin))
}

pub(crate) fn run_with(
    plugin: &Fake,
    env: &dyn Fn(&str) -> Option<OsString>,
    stdin: &mut dyn Read,
) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = dispatch(plugin, &Delegates::default(), env, stdin, &mut stdout, &mut stderr);
    Outcome { status, stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap() }
}

/// A complete environment for `command`; none of its names leads anywhere.
pub(crate) fn env(command: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("CNI_COMMAND", command),
        ("CNI_CONTAINERID", "a"),
        ("CNI_NETNS", "/nonexistent/netns"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/nonexistent/bin"),
    ]
}

pub(crate) fn failing() -> Fake {
    Fake::new(|verb| Err(Error::config(format!("{verb} failed")).because("a cause")))
}
