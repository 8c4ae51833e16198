//! The files of the cache as they are, whoever wrote them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cni_types::{AttachmentId, CniResult, Doing, Error, Json, Result};

use super::{Cache, DRAFT, Stored};
use crate::conflist::NetworkList;
use crate::invoke::RuntimeConf;

/// One file of the cache.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) file: PathBuf,
    /// What it holds, or why that cannot be known.
    pub(crate) kept: Result<Kept>,
}

/// What an ADD left for the verbs after it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: AttachmentId,
    /// The configuration as it was then; attachments with the same one share it.
    pub(crate) list: Arc<NetworkList>,
    pub(crate) conf: RuntimeConf,
    pub(crate) result: CniResult,
}

impl Cache {
    /// All files but drafts, in the order of their names.
    ///
    /// # Errors
    /// Code 5 when the directory is there but cannot be listed.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let is_draft =
            |file: &PathBuf| file.file_name().is_some_and(|n| n.to_string_lossy().starts_with(DRAFT));
        let files = self.files()?.into_iter().filter(|file| !is_draft(file));
        let mut lists = Lists::default();
        // What has gone since is no entry.
        let entries = files.filter_map(|file| match fs::read(&file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            bytes => {
                let kept = bytes.doing("cannot read it").and_then(|bytes| Kept::parse(&bytes, &mut lists));
                Some(Entry { file, kept })
            }
        });
        Ok(entries.collect())
    }
}

impl Entry {
    /// Whether the file has the attachment's name.
    pub(crate) fn is_named_after(&self, id: &AttachmentId) -> bool {
        let name = format!("{}-{}-{}", id.network, id.container_id, id.ifname);
        self.file.file_name() == Some(Path::new(&name).as_os_str())
    }
}

/// The configurations that were read, by their text in the cache: a node's thousand files have a few.
#[derive(Default)]
struct Lists(HashMap<String, Arc<NetworkList>>);

impl Lists {
    /// That of a file's `config`, as base64.
    fn read(&mut self, config: &str) -> Result<Arc<NetworkList>> {
        if let Some(list) = self.0.get(config) {
            return Ok(Arc::clone(list));
        }
        let text = STANDARD.decode(config).map_err(|e| Error::decode("config").because(e))?;
        let list = match Json::parse(&text).doing("config")? {
            single if single.has("type") && !single.has("plugins") => NetworkList::from_single(&text),
            _ => NetworkList::parse(&text),
        };
        let list = Arc::new(list.doing("config")?);
        self.0.insert(config.to_owned(), Arc::clone(&list));
        Ok(list)
    }
}

impl Kept {
    fn parse(bytes: &[u8], lists: &mut Lists) -> Result<Self> {
        let document = Json::parse(bytes)?;
        let Some(stored) = Stored::read(&document) else {
            let kind = document.get_str("kind").map(|kind| format!("it is of kind {kind:?}"));
            let why =
                kind.unwrap_or_else(|| "it is of the format before 2019, which names no attachment".into());
            return Err(Error::decode("this is no file of the cache's format cniCacheV1").because(why));
        };
        let list = lists.read(&stored.config)?;
        if list.name.as_str() != stored.network_name {
            return Err(Error::decode(format!("its config is of network {}", list.name)));
        }
        let version = list.spec_version()?;
        let result = stored.result.as_ref().unwrap_or(&Json::Null);
        let result = CniResult::from_json(result, version).doing("result")?;
        let conf = stored.into_runtime_conf().ok_or_else(|| Error::decode("it names no attachment"))?;
        Ok(Self { id: conf.id(&list), list, conf, result })
    }
}
