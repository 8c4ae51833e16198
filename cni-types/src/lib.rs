//! The CNI protocol, spec 0.1.0 to 1.1.0, for plugins written in Rust: configuration, results, errors, dispatch,
//! delegation. No kernel and no async in here.

mod addr;
mod args;
mod attachment;
pub mod child;
pub mod delegate;
mod error;
mod json;
mod lock;
mod mac;
mod name;
mod nearest;
mod network;
mod records;
mod result;
mod skel;
mod stale;
mod state;
mod stdio;
mod tell;
mod undo;
mod version;

pub use addr::{Cidr, optional_ip, parse_ip, parse_ip_or_cidr};
pub use args::CniArgs;
pub use attachment::{AttachmentId, hex, network_tag_prefix};
pub use error::{Code, Doing, Error, Result};
pub use json::Json;
pub use lock::{FileLock, holder};
pub use mac::Mac;
pub use name::{ContainerId, IfName, NetworkName, PluginName, excerpt};
pub use nearest::nearest;
pub use network::Network;
pub use records::{Record, Records, read_small};
pub use result::{CniResult, Dns, Interface, IpConfig, Route};
pub use skel::{
    About, Attachment, Detachment, Plugin, SUITE, arguments, dispatch, refuse, run, start, start_with,
};
pub use stale::Stale;
pub use state::{ensure_dir, replace_file};
pub use stdio::{Stderr, Stdout};
pub use tell::tell;
pub use undo::Undo;
pub use version::{Family, Numbers, SpecVersion};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
