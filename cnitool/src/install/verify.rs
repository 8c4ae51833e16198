//! Whether what is in a directory is what would be installed: read, not run.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cni_types::{Doing, Error, Result};

/// How a file in the directory compares with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same bytes, and everybody can execute it.
    Same,
    /// Something else.
    Other,
    /// There is none.
    None,
}

impl Likeness {
    /// Compares two files.
    ///
    /// # Errors
    /// Code 5 when one cannot be read, code 7 when the name is taken by a directory.
    pub(super) fn of(source: &Path, there: &Path) -> Result<Self> {
        let file = match fs::metadata(there) {
            Ok(file) if file.is_dir() => {
                let taken = Error::config(format!("{} is a directory", there.display()));
                return Err(taken.because("move it away"));
            }
            Ok(file) => file,
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format!("cannot look at {}", there.display()), &e));
            }
            // A link to nowhere takes the name too.
            Err(_) if there.is_symlink() => return Ok(Self::Other),
            Err(_) => return Ok(Self::None),
        };
        let length = fs::metadata(source).doing(format!("cannot look at {}", source.display()))?.len();
        let is_executable = file.permissions().mode() & 0o111 == 0o111;
        if !file.is_file() || file.len() != length || !is_executable {
            return Ok(Self::Other);
        }
        let read = |path: &Path| fs::read(path).doing(format!("cannot read {}", path.display()));
        Ok(if read(source)? == read(there)? { Self::Same } else { Self::Other })
    }

    /// In a word.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Same => "is there",
            Self::Other => "DIFFERS",
            Self::None => "MISSING",
        }
    }
}
