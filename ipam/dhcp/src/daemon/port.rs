//! An open packet socket in a container's namespace, for as long as an exchange takes.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

use cni_types::{Code, Error, Mac, Result};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::closer::Closer;
use crate::message::Reply;
use crate::message::reply::Ignored;
use crate::place::Place;
use crate::{frame, packet};

thread_local! {
    /// All exchanges read into the same buffer: none keeps what is in it across a wait.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; packet::SIZE_MAX]);
}

/// It keeps the namespace alive, and is closed by the [`Closer`].
pub(super) struct Port {
    /// `None` only on the way out.
    socket: Option<AsyncFd<OwnedFd>>,
    index: u32,
    closer: Closer,
}

impl Port {
    /// Opens one; `None` when the interface is gone.
    ///
    /// # Errors
    /// Code 8 or 100 when the kernel refuses.
    pub(super) fn open(place: &Place, closer: &Closer) -> Result<Option<Self>> {
        let unusable = |e: io::Error| refused("cannot open a packet socket on", place, &e);
        let Some(fd) = place.visit(|| packet::open(place.index).map_err(unusable))? else { return Ok(None) };
        // SAFETY: an OwnedFd is open, and the same, until it is dropped.
        let socket = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
            .map_err(|e| unusable(e.into_parts().1))?;
        Ok(Some(Self { socket: Some(socket), index: place.index, closer: closer.clone() }))
    }

    pub(super) fn send(&self, place: &Place, to: Option<Mac>, bytes: &[u8]) -> Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        packet::send(socket.get_ref(), self.index, to, bytes)
            .map_err(|e| refused("cannot send on", place, &e))
    }

    /// Waits for a server's message, or for a packet to ignore.
    ///
    /// # Errors
    /// When nothing can be received any more.
    pub(super) async fn receive(&self) -> io::Result<std::result::Result<Reply, Ignored>> {
        let Some(socket) = &self.socket else { return std::future::pending().await };
        loop {
            let mut ready = socket.readable().await?;
            if let Ok(read) =
                ready.try_io(|socket| BUFFER.with_borrow_mut(|buffer| read(socket.get_ref(), buffer)))
            {
                return read;
            }
        }
    }
}

fn refused(doing: &str, place: &Place, cause: &io::Error) -> Error {
    Error {
        code: Code::KERNEL,
        ..Error::io(format!("{doing} {} in {}", place.ifname, place.netns.display()), cause)
    }
}

fn read(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<std::result::Result<Reply, Ignored>> {
    let received = packet::receive(socket, buffer)?;
    let read = || {
        if !received.ours {
            return Err(Ignored::NotOurs);
        }
        let packet = buffer.get(..received.length).ok_or(Ignored::Oversized)?;
        Ok(Reply { from: received.from, ..Reply::decode(frame::decode(packet)?)? })
    };
    Ok(read())
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.closer.close(socket.into_inner());
        }
    }
}
