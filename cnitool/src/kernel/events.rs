//! What the kernel says by itself.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use rtnetlink::{MulticastGroup, new_multicast_connection};
use tokio::time::timeout;

/// How long it has to be quiet before a change is over: an ADD is a handful of events.
const QUIET: Duration = Duration::from_millis(100);
/// How long a change may go on before it is shown all the same.
const LONGEST: Duration = Duration::from_secs(1);
/// How often `also` is asked.
const LOOK: Duration = Duration::from_millis(500);

/// Calls `then` after each change of this namespace's links, addresses and routes, and after each time that `also` says
/// there was one that the kernel does not tell of. Ends when `then` says so.
///
/// # Errors
/// When the kernel does not let this process listen.
pub(crate) fn after_each_change(
    mut also: impl FnMut() -> bool,
    mut then: impl FnMut() -> bool,
) -> io::Result<()> {
    use MulticastGroup::{Ipv4Ifaddr, Ipv4Route, Ipv6Ifaddr, Ipv6Route, Link};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut events = runtime.block_on(async {
        let (connection, _handle, events) =
            new_multicast_connection(&[Link, Ipv4Ifaddr, Ipv6Ifaddr, Ipv4Route, Ipv6Route])?;
        tokio::spawn(connection);
        io::Result::Ok(events)
    })?;
    // `then` waits for the kernel, too, so it is called outside of the runtime.
    loop {
        let has_changed = runtime.block_on(async {
            match timeout(LOOK, events.next()).await {
                Ok(None) => Err(io::Error::other("the kernel's events have ended")),
                Ok(Some(_)) => {
                    let rest = async { while let Ok(Some(_)) = timeout(QUIET, events.next()).await {} };
                    let _ = timeout(LONGEST, rest).await;
                    Ok(true)
                }
                Err(_) => Ok(false),
            }
        })?;
        if (has_changed || also()) && !then() {
            return Ok(());
        }
    }
}
