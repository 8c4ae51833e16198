//! What plugin and daemon of this suite say to each other: one JSON document and a newline each way, on a connection of
//! its own. It begins with `{`; the reference's begins with `CONNECT` (see [`crate::rpc`]).

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use cni_types::{
    AttachmentId, CniResult, Code, ContainerId, Error, IfName, Json, NetworkName, Result, SpecVersion, fields,
};
use serde::Serialize;

use crate::wanted::Wanted;

/// The version of the documents. A daemon answers a version it does not know with an error that says so.
const VERSION: u32 = 1;
/// Longest document in bytes.
pub(crate) const SIZE_MAX: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// A lease, or the one the attachment has.
    Add(AttachmentId, PathBuf, Wanted),
    /// The lease the attachment has.
    Check(AttachmentId, PathBuf),
    /// The end of the attachment's lease.
    Del(AttachmentId),
    /// The end of all leases of the network but these.
    Gc(NetworkName, Vec<AttachmentId>),
    /// Whether the daemon works.
    Status,
}

#[derive(Default, Serialize)]
struct Question {
    version: u32,
    verb: String,
    network: String,
    #[serde(rename = "containerID")]
    container_id: String,
    ifname: String,
    netns: String,
    wanted: Wanted,
    valid: Vec<Attached>,
}

fields!(Question {
    "version" version, "verb" verb, "network" network, "containerID" container_id, "ifname" ifname, "netns" netns,
    "wanted" wanted, "valid" valid,
});

#[derive(Default, Serialize)]
struct Attached {
    #[serde(rename = "containerID")]
    container_id: String,
    ifname: String,
}

fields!(Attached { "containerID" container_id, "ifname" ifname });

#[derive(Default, Serialize)]
struct Answer {
    version: u32,
    error: Option<Failure>,
    result: Option<Json>,
}

fields!(Answer { "version" version, "error" error, "result" result });

#[derive(Default, Serialize)]
struct Failure {
    code: u32,
    msg: String,
    details: String,
}

fields!(Failure { "code" code, "msg" msg, "details" details });

impl Request {
    /// The document.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut question = Question { version: VERSION, ..Question::default() };
        let mut name = |id: &AttachmentId| {
            question.network = id.network.to_string();
            question.container_id = id.container_id.to_string();
            question.ifname = id.ifname.to_string();
        };
        match self {
            Self::Add(id, netns, wanted) => {
                name(id);
                question.netns = netns.to_string_lossy().into_owned();
                question.wanted = wanted.clone();
            }
            Self::Check(id, netns) => {
                name(id);
                question.netns = netns.to_string_lossy().into_owned();
            }
            Self::Del(id) => name(id),
            Self::Gc(network, valid) => {
                let attached = |id: &AttachmentId| Attached {
                    container_id: id.container_id.to_string(),
                    ifname: id.ifname.to_string(),
                };
                question.network = network.to_string();
                question.valid = valid.iter().map(attached).collect();
            }
            Self::Status => {}
        }
        self.verb().clone_into(&mut question.verb);
        line(&question)
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Add(..) => "add",
            Self::Check(..) => "check",
            Self::Del(_) => "del",
            Self::Gc(..) => "gc",
            Self::Status => "status",
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Code 6 when it is none, code 11 for another version, code 4 or 7 for invalid names.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let question: Question = Json::parse(bytes)?.decode()?;
        if question.version != VERSION {
            return Err(Error::try_again(format!(
                "the dhcp daemon speaks version {VERSION} of the plugin's protocol, not {}: restart it",
                question.version
            )));
        }
        let network = NetworkName::new(&question.network);
        let attachment = |container_id: &str, ifname: &str| {
            Ok(AttachmentId {
                network: network.clone()?,
                container_id: ContainerId::new(container_id)?,
                ifname: IfName::new(ifname)?,
            })
        };
        let id = || attachment(&question.container_id, &question.ifname);
        Ok(match question.verb.as_str() {
            "add" => Self::Add(id()?, question.netns.clone().into(), question.wanted.clone()),
            "check" => Self::Check(id()?, question.netns.clone().into()),
            "del" => Self::Del(id()?),
            "gc" => {
                let valid = question.valid.iter().map(|entry| attachment(&entry.container_id, &entry.ifname));
                Self::Gc(network.clone()?, valid.collect::<Result<_>>()?)
            }
            "status" => Self::Status,
            other => return Err(Error::decode(format!("unknown verb {}", cni_types::excerpt(other)))),
        })
    }
}

/// A result as JSON of the current version.
///
/// # Errors
/// None that a result with an address could cause.
pub(crate) fn result_json(result: &CniResult) -> Result<Json> {
    Json::parse(result.to_json(SpecVersion::CURRENT)?.as_bytes())
}

/// The document that answers.
pub(crate) fn encode_answer(answer: &Result<Option<CniResult>>) -> Vec<u8> {
    let mut document = Answer { version: VERSION, ..Answer::default() };
    let json = answer.clone().and_then(|result| result.as_ref().map(result_json).transpose());
    match json {
        Ok(result) => document.result = result,
        Err(Error { code, msg, details }) => document.error = Some(Failure { code: code.0, msg, details }),
    }
    line(&document)
}

/// Reads an answer.
///
/// # Errors
/// The error it holds; code 6 when it makes no sense.
pub(crate) fn decode_answer(bytes: &[u8]) -> Result<Option<CniResult>> {
    let answer: Answer = Json::parse(bytes)?.decode()?;
    if let Some(Failure { code, msg, details }) = answer.error {
        return Err(Error { code: Code(code), msg, details });
    }
    answer.result.map(|result| CniResult::from_json(&result, SpecVersion::CURRENT)).transpose()
}

fn line(document: &impl Serialize) -> Vec<u8> {
    // A structure of texts and numbers can always be written.
    let mut bytes = serde_json::to_vec(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
