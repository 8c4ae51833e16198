//! What the process of a CNI plugin does: it reads its environment and configuration, does the verb, tells the result
//! and takes back what it cannot tell; it runs other plugins, waits for locks and remembers what DEL will need. No
//! network and no async in here.

mod answer;
pub mod child;
pub mod delegate;
mod dispatch;
mod entry;
mod env;
mod gate;
mod known;
mod lock;
mod netns;
mod note;
mod plugin;
mod privileges;
mod records;
mod refuse;
mod run;
mod state;
mod state_dir;
mod stdio;
mod tell;
mod undo;

pub use answer::SUITE;
pub use dispatch::dispatch;
pub use entry::{arguments, start, start_with};
pub use known::ask_once;
pub use lock::{FileLock, holder};
#[doc(hidden)]
pub use note::Note;
pub use plugin::{About, Attachment, Delegates, Detachment, Plugin};
pub use records::{Record, Records};
pub use refuse::refuse;
pub use run::run;
pub use state::{ensure_dir, read_own, read_small, remove_file_if_present, replace_file};
pub use state_dir::StateDir;
pub use stdio::{Stderr, Stdout};
pub use tell::tell;
pub use undo::Undo;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
