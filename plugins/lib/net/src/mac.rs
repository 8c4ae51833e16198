//! Hardware addresses of our own making.

use std::io;

use cni_types::{Code, Error, Mac, Result};

/// A random, locally administered unicast address. Given to a link in the request that creates it, it keeps udev's
/// `MACAddressPolicy` and a bridge's "lowest port address" rule away from the link.
///
/// # Errors
/// Code 100 when the kernel gives no random bytes.
pub fn random() -> Result<Mac> {
    let mut bytes = [0u8; 6];
    // SAFETY: the buffer is valid for the 6 bytes asked for.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if got != 6 {
        return Err(Error::new(Code::KERNEL, "cannot get random bytes").because(io::Error::last_os_error()));
    }
    bytes[0] = bytes[0] & 0xfe | 0x02;
    Ok(Mac(bytes))
}
