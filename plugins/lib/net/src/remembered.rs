//! A network namespace as a record keeps it, so that a later process can tell that it is gone: without doubt, or not at
//! all. Inode numbers and paths are used again; the cookie is not, as long as the machine runs.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cni_types::Json;
use serde::Deserialize;

use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// Device and inode number.
type Identity = (u64, u64);

/// What is known of a namespace that was there once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RememberedNetns {
    path: PathBuf,
    namespace: Identity,
    /// [`Rtnl::netns_cookie`]; kernels before 5.14 have none.
    #[serde(default)]
    cookie: Option<u64>,
    /// The directory the path is in.
    directory: Identity,
    /// From where it was looked at: the mount namespace and the root directory.
    view: (Identity, Identity),
}

impl RememberedNetns {
    /// The namespace at this path; `None` when it cannot be looked at, or the path means another one to each process.
    pub fn of(path: &Path) -> Option<Self> {
        let per_process = ["/proc/self", "/proc/thread-self"].iter().any(|own| path.starts_with(own));
        if !path.is_absolute() || per_process {
            return None;
        }
        let netns = Netns::open(path).ok()?;
        Some(Self {
            namespace: netns.identity().ok()?,
            cookie: cookie(&netns),
            directory: identity(path.parent()?)?,
            view: view()?,
            path: path.to_owned(),
        })
    }

    /// Whether the namespace is certainly no more. What cannot be looked at, for want of permission or because this
    /// process sees other mounts, may be there.
    pub fn is_gone(&self) -> bool {
        let same_view = || view() == Some(self.view);
        match Netns::find(Some(&self.path)) {
            Ok(Some(netns)) => !self.is(&netns) && same_view(),
            Err(_) => false,
            Ok(None) => {
                let is_missing =
                    fs::symlink_metadata(&self.path).is_err_and(|e| e.kind() == ErrorKind::NotFound);
                match self.path.parent().and_then(identity) {
                    // A file that is removed takes along what is mounted on it, in every mount namespace.
                    Some(directory) => directory == self.directory && (is_missing || same_view()),
                    None => is_missing && same_view(),
                }
            }
        }
    }

    fn is(&self, netns: &Netns) -> bool {
        netns.identity().ok() == Some(self.namespace)
            && self.cookie.zip(cookie(netns)).is_none_or(|(then, now)| then == now)
    }

    /// For a record.
    pub fn json(&self) -> Json {
        let pair =
            |(device, inode): Identity| Json::Array([device, inode].map(|n| Json::Number(n.into())).to_vec());
        let member = |name: &str, value: Json| (name.to_owned(), value);
        Json::Object(vec![
            member("path", Json::String(self.path.to_string_lossy().into_owned())),
            member("namespace", pair(self.namespace)),
            member("cookie", self.cookie.map_or(Json::Null, |cookie| Json::Number(cookie.into()))),
            member("directory", pair(self.directory)),
            member("view", Json::Array(vec![pair(self.view.0), pair(self.view.1)])),
        ])
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn view() -> Option<(Identity, Identity)> {
    Some((identity(Path::new("/proc/thread-self/ns/mnt"))?, identity(Path::new("/"))?))
}

fn cookie(netns: &Netns) -> Option<u64> {
    Rtnl::open_in(netns).ok()?.netns_cookie()
}
