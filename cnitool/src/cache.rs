//! The result cache: what ADD returned, for CHECK, DEL and GC. One file per attachment,
//! `<dir>/<network>-<container id>-<ifname>`, in libcni's format (`cniCacheV1`): libcni reads what we write and the
//! other way round.

mod entry;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cni_skel::{ensure_dir, remove_file_if_present, replace_file};
use cni_types::{
    AttachmentId, CniResult, ContainerId, Doing, Error, IfName, Json, NetworkName, Result, SpecVersion, Stale,
};
use serde::{Deserialize, Serialize};

use crate::conflist::NetworkList;
use crate::invoke::{CapabilityArgs, RuntimeConf};
pub(crate) use entry::{Entry, Kept};

const DIR: &str = "/var/lib/cni/results";
const KIND: &str = "cniCacheV1";
/// What a draft's name starts with, in front of its owner.
const DRAFT: &str = ".draft-";

/// A cache directory.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Where the files are; made when the first is written.
    pub dir: PathBuf,
}

impl Default for Cache {
    fn default() -> Self {
        Self { dir: DIR.into() }
    }
}

/// The file's content; the names are libcni's.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    kind: String,
    #[serde(default)]
    container_id: String,
    /// Base64 of the whole list.
    #[serde(default)]
    config: String,
    #[serde(default)]
    if_name: String,
    #[serde(default)]
    network_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    netns: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cni_args: Option<Vec<(String, String)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capability_args: Option<CapabilityArgs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Json>,
}

impl Cache {
    fn file(&self, id: &AttachmentId) -> PathBuf {
        self.dir.join(format!("{}-{}-{}", id.network, id.container_id, id.ifname))
    }

    /// Where a file is written before it gets its name. It names its owner: a process in another pid namespace may have
    /// our number, and DEL and GC find what an ADD that was killed has left.
    fn draft(&self, id: &AttachmentId) -> PathBuf {
        self.dir.join(format!("{DRAFT}{}", id.tag_prefix()))
    }

    /// Whether the attachment has a file.
    pub fn contains(&self, id: &AttachmentId) -> bool {
        self.file(id).exists()
    }

    /// Keeps the result of an ADD. The file is complete or not there, whatever happens.
    ///
    /// # Errors
    /// Code 5 when it cannot be written.
    pub fn save(&self, list: &NetworkList, runtime: &RuntimeConf, result: Json) -> Result<()> {
        let netns = runtime.netns.as_deref().map(Path::to_string_lossy).unwrap_or_default();
        let stored = Stored {
            kind: KIND.into(),
            container_id: runtime.container_id.to_string(),
            config: STANDARD.encode(&list.bytes),
            if_name: runtime.ifname.to_string(),
            network_name: list.name.to_string(),
            netns: netns.into_owned(),
            cni_args: (!runtime.args.is_empty()).then(|| runtime.args.clone()),
            capability_args: (!runtime.capability_args.is_empty()).then(|| runtime.capability_args.clone()),
            result: Some(result),
        };
        let id = runtime.id(list);
        let file = self.file(&id);
        let doing = || format!("failed to cache the result in {}", file.display());
        let text = serde_json::to_vec(&stored).map_err(io::Error::from).doing(doing())?;
        ensure_dir(&self.dir).and_then(|()| replace_file(&file, &self.draft(&id), &text)).doing(doing())
    }

    /// The result of the attachment's ADD; `None` without a file.
    ///
    /// # Errors
    /// Code 5 when the file cannot be read, code 1 or 6 when it holds no result.
    pub fn result(&self, id: &AttachmentId, version: SpecVersion) -> Result<Option<CniResult>> {
        let file = self.file(id);
        let doing = || format!("cannot use the cached result {}", file.display());
        let bytes = match fs::read(&file) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.doing(doing())?,
        };
        let document = Json::parse(&bytes).doing(doing())?;
        // Before 2019 the file was the bare result.
        let result = match Stored::read(&document) {
            Some(stored) => stored.result.unwrap_or(Json::Null),
            None => document,
        };
        CniResult::from_json(&result, version).map(Some).doing(doing())
    }

    /// Forgets the attachment, and the draft of its file.
    ///
    /// # Errors
    /// Code 5 when a file is there but cannot be removed.
    pub fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        let files = [self.file(id), self.draft(id)];
        Error::all(files.iter().map(|file| remove_file_if_present(file)))
    }

    /// Removes the drafts of `network`'s attachments that are not in `valid`.
    ///
    /// # Errors
    /// Code 5 when the directory is there but cannot be listed, or a draft cannot be removed.
    pub fn remove_drafts(&self, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
        let stale = Stale::new(network, valid);
        let is_stale = |file: &Path| {
            let name = file.file_name().and_then(OsStr::to_str);
            name.and_then(|name| name.strip_prefix(DRAFT)).is_some_and(|owner| stale.includes(owner))
        };
        let mut files = self.files()?;
        files.retain(|file| is_stale(file));
        Error::all(files.iter().map(|file| remove_file_if_present(file)))
    }

    /// All files of the directory, in the order of their names; none where it is missing.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing(format!("cannot list {}", self.dir.display()))?,
        };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        Ok(files)
    }

    /// All attachments of `network` that have a file, in the order of their files' names. Files that are none of ours
    /// are left out.
    ///
    /// # Errors
    /// Code 5 when the directory is there but cannot be listed.
    pub fn attachments(&self, network: &NetworkName) -> Result<Vec<RuntimeConf>> {
        let files = self.files()?;
        let stored = files.iter().filter_map(|file| Stored::read(&Json::parse(&fs::read(file).ok()?).ok()?));
        let ours = stored.filter(|stored| stored.network_name == network.as_str());
        Ok(ours.filter_map(Stored::into_runtime_conf).collect())
    }
}

impl Stored {
    /// `None` for what is no file of this format.
    fn read(document: &Json) -> Option<Self> {
        document.decode::<Self>().ok().filter(|stored| stored.kind == KIND)
    }

    /// The namespace that the result says the interface is in: before 1.3 libcni wrote no `netns`, which containerd 1.6
    /// and podman 4 have. Runtimes of virtual machines may have other words there than a path.
    fn sandbox(&self) -> Option<PathBuf> {
        let Some(Json::Array(interfaces)) = self.result.as_ref()?.get("interfaces") else { return None };
        let named = |interface: &&Json| interface.get_str("name") == Some(self.if_name.as_str());
        let sandbox = interfaces.iter().find(named)?.get_str("sandbox").map(PathBuf::from);
        sandbox.filter(|path| path.is_absolute())
    }

    fn into_runtime_conf(self) -> Option<RuntimeConf> {
        let netns = if self.netns.is_empty() { self.sandbox() } else { Some(self.netns.into()) };
        Some(RuntimeConf {
            container_id: ContainerId::new(&self.container_id).ok()?,
            netns,
            ifname: IfName::new(&self.if_name).ok()?,
            args: self.cni_args.unwrap_or_default(),
            capability_args: self.capability_args.unwrap_or_default(),
        })
    }
}
