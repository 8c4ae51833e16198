//! The SELinux label of a file, the extended attribute `security.selinux` (xattr(7)).

use std::ffi::{CStr, c_int};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use cni_types::{Doing, Result};
use nix::errno::Errno;
use nix::libc;

const NAME: &CStr = c"security.selinux";
/// Labels are some 40 bytes; the kernel takes attributes of up to 64 KiB.
const MOST: usize = 64 << 10;

/// A label, to be given to new files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label(Vec<u8>);

impl Label {
    /// The directory's label; `None` where there are no labels.
    ///
    /// # Errors
    /// Code 5 when it cannot be read.
    pub(super) fn of(dir: &Path) -> Result<Option<Self>> {
        let doing = || format!("cannot read the label of {}", dir.display());
        Self::get(&File::open(dir).doing(doing())?).doing(doing())
    }

    fn get(file: &File) -> io::Result<Option<Self>> {
        let mut value = vec![0; MOST];
        // SAFETY: the name ends with a zero byte, and the buffer is as long as it is said to be.
        let length = unsafe {
            libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), value.as_mut_ptr().cast(), value.len())
        };
        match usize::try_from(length) {
            Ok(length) => {
                value.truncate(length);
                Ok(Some(Self(value)))
            }
            Err(_) => match Errno::last() {
                Errno::ENODATA | Errno::EOPNOTSUPP | Errno::ENOSYS => Ok(None),
                errno => Err(errno.into()),
            },
        }
    }

    /// Gives the label to the file, where the kernel has not done so already.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub(super) fn give(&self, file: &File) -> io::Result<()> {
        if Self::get(file)?.as_ref() == Some(self) {
            return Ok(());
        }
        // SAFETY: the name ends with a zero byte, and the value is as long as it is said to be.
        let done: c_int = unsafe {
            libc::fsetxattr(file.as_raw_fd(), NAME.as_ptr(), self.0.as_ptr().cast(), self.0.len(), 0)
        };
        Errno::result(done).map(drop).map_err(Into::into)
    }
}
