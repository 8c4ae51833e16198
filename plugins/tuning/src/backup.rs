//! What the attributes were before ADD changed them: one file per attachment, the reference's, with the owner in it
//! under a key the reference passes over. Its name says no network, so GC goes by the owner.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cni_types::{AttachmentId, Doing, Error, Json, Network, NetworkName, Result, network_tag_prefix};

use crate::attributes::Attributes;
use crate::conf;

/// The key of the owner's tag.
const OWNER: &str = "owner";
/// No backup is larger; anything else under such a name is none.
const SIZE_MAX: u64 = 64 << 10;

/// The directory of the backups.
pub(crate) struct Backups(PathBuf);

impl Backups {
    /// Those of the network's configuration.
    pub(crate) fn of(network: &Network) -> Self {
        Self(conf::data_dir(network))
    }

    /// The reference's name for the file.
    fn path(&self, id: &AttachmentId) -> PathBuf {
        self.0.join(format!("{}_{}.json", id.container_id, id.ifname))
    }

    /// Where the file is written before it gets its name. It names its owner too, for a DEL or GC after an ADD that was
    /// killed.
    fn draft(&self, id: &AttachmentId) -> PathBuf {
        self.0.join(format!(".{}", id.tag_prefix()))
    }

    /// Writes the attachment's backup in place of any before: all of it, or nothing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, id: &AttachmentId, before: &Attributes) -> Result<()> {
        let (path, draft) = (self.path(id), self.draft(id));
        let mut members = before.members();
        members.push((OWNER.to_owned(), Json::String(id.tag())));
        let text = Json::Object(members).pretty();
        let write = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&draft, &path)
        };
        write()
            .inspect_err(|_| drop(fs::remove_file(&draft)))
            .doing(format!("cannot write the backup {}", path.display()))
    }

    /// The attachment's backup: `None` without one, an error inside when it cannot be read.
    pub(crate) fn read(&self, id: &AttachmentId) -> Option<Result<Attributes>> {
        let path = self.path(id);
        let doing = || format!("cannot read the backup {}", path.display());
        match read_small(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => Some(Err(Error::io(doing(), &e))),
            Ok(bytes) => Some(Json::parse(&bytes).and_then(|json| json.decode()).doing(doing())),
        }
    }

    /// Removes the attachment's backup and the draft of one.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        let files = [self.path(id), self.draft(id)];
        Error::all(files.iter().filter_map(|path| remove_if_present(path).err()).collect())
    }

    /// Removes the backups of attachments of `network` that are not in `valid`. A file without an owner is the
    /// reference's and stays: nothing says which network it belongs to.
    ///
    /// # Errors
    /// All failures, folded, after every file was tried.
    pub(crate) fn collect(&self, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
        let doing = || format!("cannot list the backups in {}", self.0.display());
        let entries = match fs::read_dir(&self.0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.doing(doing())?,
        };
        let network_prefix = format!("{}-", network_tag_prefix(network));
        let valid: Vec<_> = valid.iter().map(AttachmentId::tag_prefix).collect();
        let mut failures = Vec::new();
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(e) => {
                    failures.push(Error::io(doing(), &e));
                    break;
                }
            };
            let is_stale = |owner: &String| {
                owner.starts_with(&network_prefix) && !valid.iter().any(|prefix| owner.starts_with(prefix))
            };
            if owner(&path).as_ref().is_some_and(is_stale) {
                failures.extend(remove_if_present(&path).err());
            }
        }
        Error::all(failures)
    }

    /// Whether a backup could be written: the directory, or the nearest one above it that is there, is writable.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        let there =
            self.0.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or_else(|| Path::new("/"));
        let doing = || format!("cannot write backups to {}", self.0.display());
        if !there.is_dir() {
            return Err(Error::io(doing(), &io::Error::from(io::ErrorKind::NotADirectory))
                .because(format!("{} is no directory", there.display())));
        }
        let probe = OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(there);
        match probe {
            // A file system without unnamed files says so, and is writable.
            Err(e) if e.raw_os_error() != Some(libc::EOPNOTSUPP) => Err(Error::io(doing(), &e)),
            _ => Ok(()),
        }
    }
}

/// Whose file it is: a draft says it in its name, a backup inside.
fn owner(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if let Some(owner) = name.strip_prefix('.') {
        return Some(owner.to_owned());
    }
    let bytes = name.ends_with(".json").then(|| read_small(path).ok()).flatten()?;
    Json::parse(&bytes).ok()?.get_str(OWNER).map(ToOwned::to_owned)
}

/// Reads a plain file; a FIFO cannot make it wait, nor a huge file take the node's memory.
fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let mut bytes = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn remove_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.doing(format!("cannot remove {}", path.display())),
    }
}
