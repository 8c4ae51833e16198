//! Packet sockets (packet(7)) of one interface: IPv4 packets in and out, before the interface has an address.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use cni_types::Mac;

use crate::frame;

/// [`libc::AF_PACKET`] as addresses have it.
const AF_PACKET: libc::sa_family_t = 17;
const ETHERTYPE_IP: u16 = 0x0800;
const BROADCAST: Mac = Mac([0xff; 6]);
/// More than any packet of a server: what is longer is not read.
pub(crate) const SIZE_MAX: usize = 16 << 10;

/// Lets nothing but unfragmented UDP to the client's port through, so that other traffic wakes nobody. As `tcpdump -d
/// 'udp dst port 68'` without the link's header.
const FILTER: [libc::sock_filter; 9] = {
    const fn op(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
        #[allow(clippy::cast_possible_truncation, reason = "opcodes have 16 bits")]
        libc::sock_filter { code: code as u16, jt, jf, k }
    }
    use libc::{
        BPF_ABS, BPF_B, BPF_H, BPF_IND, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_LDX, BPF_MSH, BPF_RET,
    };
    [
        op(BPF_LD | BPF_B | BPF_ABS, 0, 0, 9),
        op(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 17),
        op(BPF_LD | BPF_H | BPF_ABS, 0, 0, 6),
        op(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 0x3fff),
        op(BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0),
        op(BPF_LD | BPF_H | BPF_IND, 0, 0, 2),
        op(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, frame::CLIENT as u32),
        op(BPF_RET | BPF_K, 0, 0, 0x40000),
        op(BPF_RET | BPF_K, 0, 0, 0),
    ]
};

/// A packet that came in.
pub(crate) struct Received {
    /// Its whole length, which may be more than was read.
    pub(crate) length: usize,
    /// The frame's source.
    pub(crate) from: Option<Mac>,
    /// Whether it was for this interface, or everybody.
    pub(crate) ours: bool,
}

/// A socket in this thread's namespace that hears what servers send to interface `index`.
///
/// # Errors
/// The errno: `EPERM` without `CAP_NET_RAW`, `EMFILE`, `ENODEV`.
pub(crate) fn open(index: u32) -> io::Result<OwnedFd> {
    // Without a protocol it hears nothing yet, so that no packet gets in before the filter.
    let fd = sender()?;
    let mut filter = FILTER;
    let program = libc::sock_fprog { len: 9, filter: filter.as_mut_ptr() };
    // SAFETY: the program and the instructions it points to outlive the call; the size is the structure's.
    check(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            socklen::<libc::sock_fprog>(),
        )
    })?;
    let address = address(index, Mac([0; 6]));
    // SAFETY: the address outlives the call; the size is the structure's.
    check(unsafe {
        libc::bind(fd.as_raw_fd(), (&raw const address).cast(), socklen::<libc::sockaddr_ll>())
    })?;
    Ok(fd)
}

/// A socket in this thread's namespace that hears nothing.
///
/// # Errors
/// The errno, as for [`open`].
pub(crate) fn sender() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no memory is passed.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    check(fd)?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends an IPv4 packet out of interface `index`, to `mac` or to everybody.
///
/// # Errors
/// The errno: `ENETDOWN`, `EMSGSIZE`, `ENXIO` without the interface.
pub(crate) fn send(fd: &OwnedFd, index: u32, mac: Option<Mac>, packet: &[u8]) -> io::Result<()> {
    let address = address(index, mac.unwrap_or(BROADCAST));
    // SAFETY: packet and address outlive the call; the sizes are theirs.
    let sent = unsafe {
        libc::sendto(
            fd.as_raw_fd(),
            packet.as_ptr().cast(),
            packet.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            socklen::<libc::sockaddr_ll>(),
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reads one packet into `buffer`.
///
/// # Errors
/// `WouldBlock` when there is none; `ENETDOWN` when the interface went down.
pub(crate) fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut address = MaybeUninit::<libc::sockaddr_ll>::zeroed();
    let mut size = socklen::<libc::sockaddr_ll>();
    // SAFETY: buffer and address outlive the call; the sizes are theirs.
    let length = unsafe {
        libc::recvfrom(
            fd.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_DONTWAIT | libc::MSG_TRUNC,
            address.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the structure was zeroed, and any bytes are a valid one.
    let address = unsafe { address.assume_init() };
    let [a, b, c, d, e, f, ..] = address.sll_addr;
    let from = (address.sll_halen == 6).then_some(Mac([a, b, c, d, e, f]));
    let ours =
        matches!(address.sll_pkttype, libc::PACKET_HOST | libc::PACKET_BROADCAST | libc::PACKET_MULTICAST);
    Ok(Received { length, from, ours })
}

fn address(index: u32, mac: Mac) -> libc::sockaddr_ll {
    let mut sll_addr = [0; 8];
    sll_addr[..6].copy_from_slice(&mac.0);
    libc::sockaddr_ll {
        sll_family: AF_PACKET,
        sll_protocol: ETHERTYPE_IP.to_be(),
        sll_ifindex: i32::try_from(index).unwrap_or(0),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 6,
        sll_addr,
    }
}

fn socklen<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
