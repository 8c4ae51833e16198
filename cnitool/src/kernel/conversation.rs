//! Questions to the kernel in the namespace of the thread that asks.

use std::future::Future;
use std::io;

use futures_util::StreamExt;
use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use rtnetlink::{Handle, new_connection};
use tokio::runtime::{Builder, Runtime};

/// Set in an answer when what is listed has changed meanwhile (`linux/netlink.h`).
const DUMP_INTERRUPTED: u16 = 0x10;
/// How often a list that changes is read before what there is counts.
const TRIES: usize = 5;

/// What lets this thread wait for the kernel. Sockets are born in the namespace that the thread is in, so one serves all the
/// namespaces that a thread goes through.
///
/// # Errors
/// When there are no descriptors left.
pub(super) fn waiting() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

/// Waits for `work` on a runtime of its own.
///
/// # Errors
/// Those of `work`, or of [`waiting`].
pub(super) fn wait_for<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    waiting()?.block_on(work)
}

/// A socket with its task.
pub(super) struct Conversation(Handle);

impl Conversation {
    /// Opens a socket in this thread's namespace.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn open() -> io::Result<Self> {
        let (connection, handle, _) = new_connection()?;
        tokio::spawn(connection);
        Ok(Self(handle))
    }

    /// All that the kernel lists for `request`. A list that has changed while it was read is read again.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) async fn list(
        &mut self,
        request: &RouteNetlinkMessage,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut listed = Vec::new();
        for _ in 0..TRIES {
            let is_whole;
            (listed, is_whole) = self.list_once(request.clone()).await?;
            if is_whole {
                break;
            }
        }
        Ok(listed)
    }

    async fn list_once(
        &mut self,
        request: RouteNetlinkMessage,
    ) -> io::Result<(Vec<RouteNetlinkMessage>, bool)> {
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let mut answers = self.0.request(message).map_err(io::Error::other)?;
        let (mut listed, mut is_whole) = (Vec::new(), true);
        while let Some(answer) = answers.next().await {
            is_whole &= answer.header.flags & DUMP_INTERRUPTED == 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(message) => listed.push(message),
                NetlinkPayload::Error(refused) => return Err(refused.to_io()),
                _ => {}
            }
        }
        Ok((listed, is_whole))
    }
}
