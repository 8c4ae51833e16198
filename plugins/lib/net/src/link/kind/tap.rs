//! What a tap is made with: by `ioctl`s on `/dev/net/tun` (`linux/if_tun.h`), since rtnetlink makes none. `ip tuntap
//! add`.

mod label;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use cni_netlink::attr::{byte, find, host32};
use cni_types::{Code, Error, IfName, Result};

/// `IFLA_TUN_OWNER`, `_GROUP`, `_TYPE`, `_MULTI_QUEUE` (`linux/if_link.h`)
const OWNER: u16 = 1;
const GROUP: u16 = 2;
const TYPE: u16 = 3;
const MULTI_QUEUE: u16 = 7;

/// A tap's own settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tap {
    /// The user that may open it; anybody who may configure the network otherwise.
    pub owner: Option<u32>,
    /// The group that may open it.
    pub group: Option<u32>,
    /// Whether it can be opened several times, each a queue of its own.
    pub multi_queue: bool,
    /// The SELinux context it gets: that of the process that will open it.
    pub selinux_context: Option<String>,
}

/// `struct ifreq` of `TUNSETIFF`: name, flags, padding.
#[repr(C)]
struct IfReq {
    name: [u8; libc::IFNAMSIZ],
    flags: u16,
    rest: [u8; 22],
}

impl Tap {
    /// Makes the tap in the namespace this thread is in. It goes when the file is closed, unless it is kept
    /// ([`persist`]).
    ///
    /// # Errors
    /// Code 100 with what the kernel refused, code 2 for a context on a kernel without SELinux.
    pub(crate) fn create(&self, name: &IfName) -> Result<File> {
        let tun = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/net/tun")
            .map_err(|e| refused("open /dev/net/tun, which taps are made with".to_owned(), &e))?;
        let mut request = self.request(name);
        let mut create = || set(&tun, libc::TUNSETIFF, &raw mut request as libc::c_ulong);
        let created = match &self.selinux_context {
            Some(context) => label::run_as(context, create)?,
            None => create(),
        };
        created.map_err(|e| refused(format!("create tap {name}"), &e))?;
        if let Some(owner) = self.owner {
            let done = set(&tun, libc::TUNSETOWNER, owner.into());
            done.map_err(|e| refused(format!("set the owner of tap {name} to {owner}"), &e))?;
        }
        if let Some(group) = self.group {
            let done = set(&tun, libc::TUNSETGROUP, group.into());
            done.map_err(|e| refused(format!("set the group of tap {name} to {group}"), &e))?;
        }
        Ok(tun)
    }

    fn request(&self, name: &IfName) -> IfReq {
        let multi_queue = if self.multi_queue { libc::IFF_MULTI_QUEUE } else { 0 };
        // Without TUN_EXCL, a tap of this name would be taken for ours.
        let flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR | libc::IFF_TUN_EXCL | multi_queue;
        let flags = flags.to_ne_bytes();
        let low = if cfg!(target_endian = "little") { [flags[0], flags[1]] } else { [flags[2], flags[3]] };
        let mut request = IfReq { name: [0; 16], flags: u16::from_ne_bytes(low), rest: [0; 22] };
        request.name[..name.as_str().len()].copy_from_slice(name.as_str().as_bytes());
        request
    }

    /// Whether a tap that the kernel says is `found` is what was asked for. The kernel does not tell the context.
    pub(super) fn agrees_with(&self, found: &Self) -> bool {
        let same = |wanted: Option<u32>, found| wanted.is_none() || wanted == found;
        same(self.owner, found.owner)
            && same(self.group, found.group)
            && self.multi_queue == found.multi_queue
    }

    /// `None` for a tun, which carries packets instead of frames.
    pub(super) fn decode(data: &[u8]) -> Option<Self> {
        let flag = |kind| find(data, kind).and_then(byte);
        if flag(TYPE).map(i32::from) != Some(libc::IFF_TAP) {
            return None;
        }
        Some(Self {
            owner: find(data, OWNER).and_then(host32),
            group: find(data, GROUP).and_then(host32),
            multi_queue: flag(MULTI_QUEUE) == Some(1),
            selinux_context: None,
        })
    }
}

/// Keeps the tap when its file is closed.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub(crate) fn persist(tun: &File, name: &IfName) -> Result<()> {
    set(tun, libc::TUNSETPERSIST, 1).map_err(|e| refused(format!("keep tap {name}"), &e))
}

fn set(tun: &File, request: libc::Ioctl, argument: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the argument of TUNSETIFF is the address of an `IfReq` that outlives the call; the others take numbers.
    let done = unsafe { libc::ioctl(tun.as_raw_fd(), request, argument) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn refused(doing: String, cause: &io::Error) -> Error {
    Error::io(format!("cannot {doing}"), cause).with_code(Code::KERNEL)
}
