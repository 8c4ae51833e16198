//! One network configuration as a plugin gets it on stdin.

mod shared;

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::args::CniArgs;
use crate::attachment::AttachmentId;
use crate::error::{Code, Doing, Error, Result};
use crate::json::{Json, same_key};
use crate::name::{ContainerId, IfName, NetworkName, PluginName};
use crate::result::{CniResult, Dns};
use crate::version::SpecVersion;

pub use shared::Shared;
use shared::{Delegation, ValidAttachment};

/// The key of the result of the plugins before this one; on CHECK and DEL, that of the whole ADD.
const PREV_RESULT: &str = "prevResult";

/// GC's list of attachments: the specification's key, and the one of libcni 1.2.0.
const VALID_ATTACHMENTS: [&str; 2] = ["cni.dev/valid-attachments", "cni.dev/attachments"];

/// The keys every plugin has in common, and the document the others are read from.
#[derive(Debug, Clone)]
pub struct Network {
    /// The network's name.
    pub name: NetworkName,
    /// The configuration's version, which is also the result's.
    pub version: SpecVersion,
    /// `CNI_PATH`: where delegates are looked for.
    pub cni_path: Vec<PathBuf>,
    /// `CNI_ARGS`.
    pub args: CniArgs,
    conf: Json,
    bytes: Vec<u8>,
}

impl Network {
    /// Puts the parts together; `bytes` is the text of `conf`, handed on to delegates unchanged.
    pub fn new(name: NetworkName, version: SpecVersion, conf: Json, bytes: Vec<u8>) -> Self {
        Self { name, version, cni_path: Vec::new(), args: CniArgs::default(), conf, bytes }
    }

    /// The plugin's own keys.
    ///
    /// # Errors
    /// Code 6, naming the key whose value is of the wrong type or form.
    pub fn conf<T: DeserializeOwned>(&self) -> Result<T> {
        self.conf.decode().doing(format!("cannot read the configuration of network {}", self.name))
    }

    /// The whole document.
    pub fn json(&self) -> &Json {
        &self.conf
    }

    /// The document's bytes as they came in.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The result of the plugins before this one.
    ///
    /// # Errors
    /// Code 6 when it does not decode, code 1 when it is of another form than the configuration's version: the runtime
    /// has to convert it.
    pub fn prev_result(&self) -> Result<Option<CniResult>> {
        let Some(json) = self.conf.get(PREV_RESULT) else { return Ok(None) };
        let read = || {
            let own = SpecVersion::of(json)?.unwrap_or(self.version);
            if own.form() != self.version.form() {
                let same = self.version.of_same_form();
                let text = format!("result type supports {same:?} but unmarshalled CNIVersion is \"{own}\"");
                return Err(Error::new(Code::INCOMPATIBLE_VERSION, text));
            }
            CniResult::from_json(json, self.version)
        };
        read().map(Some).doing("could not parse prevResult")
    }

    /// The same network with another prevResult: `result`, as it was printed for the runtime.
    pub fn after(mut self, result: Json) -> Self {
        if let Json::Object(members) = &mut self.conf {
            members.retain(|(key, _)| !same_key(key, PREV_RESULT));
            members.push((PREV_RESULT.to_owned(), result));
        }
        self.bytes = self.conf.compact().into_bytes();
        self
    }

    /// The result of the plugins before `plugin`, which works in a chain only.
    ///
    /// # Errors
    /// Code 7 when there is none; those of [`Network::prev_result`].
    pub fn chained_result(&self, plugin: &str) -> Result<CniResult> {
        self.prev_result()?.ok_or_else(|| {
            Error::config(format!("{plugin} must be called as chained plugin: there is no prevResult"))
                .because("list it behind a plugin that makes an interface, such as bridge")
        })
    }

    /// What ADD returned, for CHECK, which cannot be done without.
    ///
    /// # Errors
    /// Code 7 when there is none; those of [`Network::prev_result`].
    pub fn result_of_add(&self) -> Result<CniResult> {
        self.prev_result()?.ok_or_else(|| {
            Error::config("Required prevResult missing: CHECK needs the result of ADD").because(
                "the runtime has lost it: make the container anew; by hand, `cnitool check` passes what `add` returned",
            )
        })
    }

    /// The IPAM plugin to delegate to; `None` means the network has no addresses (layer 2).
    ///
    /// # Errors
    /// Code 6 when `ipam` or its `type` is of the wrong type, code 7 when the name could leave `CNI_PATH`.
    pub fn ipam_type(&self) -> Result<Option<PluginName>> {
        let name = self.conf::<Delegation>()?.ipam.plugin;
        if name.is_empty() { Ok(None) } else { PluginName::new(&name).map(Some).doing("ipam.type") }
    }

    /// The configuration's `dns`, if it says anything: a key that is present with an empty list counts.
    ///
    /// # Errors
    /// Code 6 when it does not decode.
    pub fn dns(&self) -> Result<Option<Dns>> {
        let Some(json) = self.conf.get("dns") else { return Ok(None) };
        let dns: Dns = json.decode().doing("dns")?;
        let given = ["nameservers", "search", "options"].iter().any(|key| json.get(key).is_some());
        Ok((given || !dns.domain.is_empty()).then_some(dns))
    }

    /// Whether the configuration says which attachments are still in use.
    pub fn lists_valid_attachments(&self) -> bool {
        VALID_ATTACHMENTS.iter().any(|key| self.conf.has(key))
    }

    /// GC: the attachments of this network that are still in use: `cni.dev/valid-attachments` or, from runtimes with
    /// libcni 1.2.0, `cni.dev/attachments`. A `null` list is an empty one (Go writes an empty list so).
    ///
    /// # Errors
    /// Code 7 when both keys are missing (an absent list must not free everything) or an entry holds an invalid name,
    /// code 6 when the list does not decode.
    pub fn valid_attachments(&self) -> Result<Vec<AttachmentId>> {
        let Some(key) = VALID_ATTACHMENTS.into_iter().find(|key| self.conf.has(key)) else {
            let key = VALID_ATTACHMENTS[0];
            return Err(Error::config(format!("GC needs the key {key:?}: the list of attachments to keep")));
        };
        let list = self.conf.get(key).unwrap_or(&Json::Null);
        let entries: Vec<ValidAttachment> = list.decode().doing(format!("key {key:?}"))?;
        let id = |(at, entry): (usize, ValidAttachment)| {
            let invalid = |e: Error| e.with_code(Code::CONFIG).doing(format!("key \"{key}[{at}]\""));
            Ok(AttachmentId {
                network: self.name.clone(),
                container_id: ContainerId::new(&entry.container_id).map_err(invalid)?,
                ifname: IfName::new(&entry.ifname).map_err(invalid)?,
            })
        };
        entries.into_iter().enumerate().map(id).collect()
    }
}
