//! What the command line asks for.

use std::path::PathBuf;

use crate::debug::Options as Debug;
use crate::demo::Model;
use crate::gc::Options as Gc;
use crate::install::Options as Install;
use crate::target::Target;
use crate::trace::Options as Trace;
use crate::validate::Options as Validate;
use crate::{graph, ls, metrics};

/// A command, or what is wrong and how the command is used, for a person.
pub(super) type Result<T> = std::result::Result<T, String>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Add {
        target: Target,
        /// Say on stderr what is wrong with the configuration.
        validates: bool,
    },
    Check(Target),
    Del(Target),
    Gc(Gc),
    /// All networks where none is named.
    Restore {
        networks: Vec<String>,
    },
    Status {
        network: String,
    },
    Demo {
        conflist: Option<PathBuf>,
    },
    /// Two nodes, in one of the three ways they are wired.
    Model(Model),
    Ls(ls::Options),
    Graph(graph::Options),
    Metrics(metrics::To),
    CheckAll {
        network: Option<String>,
    },
    Install(Install),
    Trace(Trace),
    Debug(Debug),
    /// What is installed in `dir`, or in the directories of `CNI_PATH`.
    Installed {
        dir: Option<PathBuf>,
    },
    Validate(Validate),
    Schema,
    /// The script for a shell; without one the names of the networks, which the scripts ask for.
    Completions {
        shell: Option<&'static str>,
    },
    Help,
    Version,
}
