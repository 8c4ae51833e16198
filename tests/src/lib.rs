//! The kit of the end-to-end tests: real executables, the real kernel, and an oracle that is never our own code.
//!
//! A test makes a [`Host`]: a fresh network and mount namespace for its own thread, so tests run in parallel and touch
//! nothing of the machine. Containers are named namespaces on that host. [`Host::plugin`] runs an executable as a
//! runtime would and gives an [`Outcome`]; what happened is then read with `ip`, `nft`, `bridge`, `iptables-save` or
//! real packets through [`Place`]; [`Snapshot`] compares the whole host before and after.
//!
//! ```no_run
//! use cni_tests::{Conf, Host, Place};
//! let host = Host::new();
//! let pod = host.container("pod");
//! let conf = Conf::bridge().set("isGateway", true);
//! host.plugin("bridge").add(&conf, &pod, "eth0").result();
//! assert!(pod.pings("10.22.0.1"));
//! host.plugin("bridge").del(&conf, &pod, "eth0").done();
//! assert!(pod.find_link("eth0").is_none());
//! ```
//!
//! What a test needs beyond root it declares with [`needs!`]; what this machine's kernel lacks is run in a VM.

mod arrival;
mod bin;
mod call;
mod case;
mod chain;
mod conf;
mod container;
mod dhcp_daemon;
mod dhcp_server;
mod differential;
mod faults;
pub mod file_events;
mod host;
mod inject;
mod lines;
mod need;
mod nft;
mod node;
mod outcome;
mod place;
mod process;
pub mod published;
mod service;
pub mod smoke;
mod snapshot;
mod trace;
mod version;

pub use arrival::arrives_at;
pub use bin::{ANCHOR, Suite, plugins};
pub use call::Call;
pub use case::Case;
pub use chain::Chain;
pub use conf::Conf;
pub use container::Container;
pub use dhcp_daemon::{DHCP_SOCKET, Notified, activated, listener};
pub use dhcp_server::{DhcpServer, SEGMENT, ServerLease};
pub use differential::{differences, plain};
pub use faults::{kill_at_each, kill_at_each_step};
pub use host::Host;
pub use inject::{HeldLock, IpamScript};
pub use lines::only_in;
pub use need::{Need, lacks};
pub use nft::assert_as_nft_makes_it;
pub use node::Node;
pub use outcome::{CniError, Outcome};
pub use place::Place;
pub use process::{Finished, LIMIT, run};
pub use service::Service;
pub use snapshot::Snapshot;
pub use trace::Trace;
pub use version::VERSIONS;
