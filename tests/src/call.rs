//! One call of a plugin, as a runtime makes it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::{Conf, Container, Outcome, Suite, run};

/// A call in preparation: the executable and its environment. Nothing of the machine's environment but `PATH` gets in.
#[derive(Debug, Clone)]
pub struct Call {
    program: PathBuf,
    wrapper: Vec<String>,
    env: BTreeMap<String, OsString>,
    without: Vec<String>,
}

impl Call {
    pub(crate) fn new(suite: Suite, name: &str) -> Self {
        let program = Path::new(suite.dir()).join(name);
        assert!(program.exists(), "no executable {name} in {}: run `make build`", suite.source().display());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let env = [("CNI_PATH".to_owned(), suite.dir().into()), ("PATH".to_owned(), path)].into();
        Self { program, wrapper: Vec::new(), env, without: Vec::new() }
    }

    /// Sets a variable; it wins over what the verb sets.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves out a variable the verb would set.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// Runs the plugin under another command, for example `strace -f`.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&w| w.to_owned()).collect();
        self
    }

    /// ADD.
    pub fn add(self, conf: &Conf, container: &Container, ifname: &str) -> Outcome {
        self.attachment(container, ifname).run("ADD", conf.text().as_bytes())
    }

    /// CHECK; the configuration needs the prevResult ([`Conf::prev`]).
    pub fn check(self, conf: &Conf, container: &Container, ifname: &str) -> Outcome {
        self.attachment(container, ifname).run("CHECK", conf.text().as_bytes())
    }

    /// DEL.
    pub fn del(self, conf: &Conf, container: &Container, ifname: &str) -> Outcome {
        self.attachment(container, ifname).run("DEL", conf.text().as_bytes())
    }

    /// GC: everything of this network but the `valid` attachments (container, ifname) may go.
    pub fn gc(self, conf: &Conf, valid: &[(&Container, &str)]) -> Outcome {
        let valid = valid.iter().map(|(c, ifname)| json!({ "containerID": c.id(), "ifname": ifname }));
        let conf = conf.clone().set("cni.dev/valid-attachments", Value::Array(valid.collect()));
        self.run("GC", conf.text().as_bytes())
    }

    /// STATUS.
    pub fn status(self, conf: &Conf) -> Outcome {
        self.run("STATUS", conf.text().as_bytes())
    }

    /// Any command with any stdin.
    pub fn run(mut self, verb: &str, stdin: &[u8]) -> Outcome {
        self.env.entry("CNI_COMMAND".to_owned()).or_insert_with(|| verb.into());
        Outcome::new(verb, &self.program, run(&mut self.command(), stdin))
    }

    fn attachment(mut self, container: &Container, ifname: &str) -> Self {
        for (name, value) in [
            ("CNI_CONTAINERID", container.id().into()),
            ("CNI_NETNS", container.netns().into_os_string()),
            ("CNI_IFNAME", ifname.into()),
        ] {
            self.env.entry(name.to_owned()).or_insert(value);
        }
        self
    }

    fn command(&self) -> Command {
        let program = self.program.as_os_str().to_owned();
        let mut words = self.wrapper.iter().map(OsString::from).chain([program]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear();
        command.envs(self.env.iter().filter(|(name, _)| !self.without.contains(name)));
        command
    }
}
