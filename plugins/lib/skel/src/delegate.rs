//! Running another plugin on our behalf (spec 1.1.0, section 4 "Plugin Delegation").

mod answer;
mod call;
mod exec;
pub mod ipam;
mod verb;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cni_types::{Code, Error, PluginName, Result, nearest};

use crate::note;
use crate::plugin::{Delegates, Plugin};

pub use answer::read_result;
pub use verb::Verb;

/// How many plugins of one process may wait for another in it: flannel for bridge, bridge for host-local.
const DEEPEST: u8 = 2;

impl Delegates {
    /// Runs plugin `name` from `cni_path` with `conf` on its stdin and returns what it printed (at most 16 MiB). Its
    /// stderr is passed on only when it succeeds, and held in an error's details otherwise.
    ///
    /// # Errors
    /// The delegate's own error object unchanged, where it printed one. Otherwise code 102 with its stderr, its stdout
    /// or its exit status; code 7 when the executable is not found; code 11 when it stays busy for 5 s.
    pub fn run(&self, verb: Verb, name: &PluginName, cni_path: &[PathBuf], conf: &[u8]) -> Result<Vec<u8>> {
        self.run_with_env(verb, name, cni_path, conf, &[])
    }

    /// [`Delegates::run`] with more of the environment replaced than `CNI_COMMAND`: what a runtime sets for a plugin.
    ///
    /// # Errors
    /// As [`Delegates::run`].
    pub fn run_with_env(
        &self,
        verb: Verb,
        name: &PluginName,
        cni_path: &[PathBuf],
        conf: &[u8],
        env: &[(&str, &OsStr)],
    ) -> Result<Vec<u8>> {
        let program = find(name, cni_path)?;
        let delegates = self.for_delegate(verb, env);
        let _running = cni_trace::phase_of("delegate", name);
        let finished = match self.find_in_process(name, &program) {
            Some(plugin) => call::call(plugin, &delegates, conf),
            None => exec::exec(verb, &program, &delegates.env, conf)?,
        };
        answer::output(verb, name, finished)
    }

    /// What the delegate is given: the same plugins, and an environment of its own.
    fn for_delegate(&self, verb: Verb, env: &[(&str, &OsStr)]) -> Self {
        let command = [("CNI_COMMAND", OsStr::new(verb.as_str()))];
        let mut delegates = Self { depth: self.depth + 1, ..self.clone() };
        for (name, value) in env.iter().chain(&command) {
            delegates.env.retain(|(there, _)| there != name);
            delegates.env.push(((*name).to_owned(), (*value).to_owned()));
        }
        delegates
    }

    fn find_in_process(&self, name: &PluginName, program: &Path) -> Option<&'static dyn Plugin> {
        let plugin = self.in_process.iter().find(|plugin| plugin.about().name == name.as_str())?;
        (self.depth < DEEPEST && note::is_of_this_build(program, name.as_str())).then_some(*plugin)
    }
}

/// Looks for a plugin's executable: the first directory of `path` with a regular file (or a link to one) of that name.
///
/// # Errors
/// Code 7 when there is none; the details list the directories.
pub fn find(name: &PluginName, path: &[PathBuf]) -> Result<PathBuf> {
    let candidates = path.iter().filter(|dir| !dir.as_os_str().is_empty()).map(|dir| dir.join(name.as_str()));
    candidates.into_iter().find(|file| is_regular(file)).ok_or_else(|| {
        let dirs: Vec<_> = path.iter().map(|dir| dir.display().to_string()).collect();
        let missing = format!("failed to find plugin \"{name}\" in path [{}]", dirs.join(" "));
        Error::new(Code::CONFIG, missing).because(
            match nearest(name.as_str(), installed(path).iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant:?}? It is there"),
                None => "CNI_PATH must name the directory the plugins are installed in".to_owned(),
            },
        )
    })
}

/// The names of all files in the directories, as far as they can be listed.
fn installed(path: &[PathBuf]) -> Vec<String> {
    let entries = path.iter().filter_map(|dir| dir.read_dir().ok()).flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn is_regular(file: &Path) -> bool {
    file.metadata().is_ok_and(|m| m.is_file())
}
