//! The daemon: it has the leases, and keeps them. One thread, one task per lease, and nothing open for a lease that is
//! not being talked about.

mod alarm;
mod caller;
mod closer;
mod connection;
mod flags;
mod keeper;
mod leases;
mod listen;
mod log;
mod notify;
mod port;
mod race;
mod registry;
mod rpc;
mod services;

use std::rc::Rc;

use cni_types::{Doing, Error, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

pub(crate) use flags::{Flags, HELP, Usage};
use leases::Leases;
use listen::Listener;
use log::log;

/// Runs until SIGINT or SIGTERM. Leases stay, for the next start.
///
/// # Errors
/// When it cannot listen; code 5 or 7.
pub(crate) fn run(flags: Flags) -> Result<()> {
    raise_open_files();
    let runtime = Builder::new_current_thread().enable_all().build().doing("cannot start the event loop")?;
    // Dropped on the way out, tasks and all.
    LocalSet::new().block_on(&runtime, serve(flags))
}

async fn serve(flags: Flags) -> Result<()> {
    let mut stop = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(interrupt), Ok(terminate)] = &mut stop else {
        return Err(Error::new(cni_types::Code::IO, "cannot wait for signals"));
    };
    let listener = Listener::open(&flags.socket())?;
    let _pid_file = flags.pid_file.as_deref().map(listen::PidFile::write).transpose()?;
    let leases = Leases::new(flags, listener.path())?;
    leases.resume()?;
    notify::ready();
    let accepting = tokio::task::spawn_local(connection::accept(listener.socket()?, Rc::clone(&leases)));
    race::either(interrupt.recv(), terminate.recv()).await;
    notify::stopping();
    accepting.abort();
    log!("stopping, the leases stay: {}", leases.summary());
    Ok(())
}

/// Each exchange needs a descriptor, and each waiting client one: as many as this process may have.
fn raise_open_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
