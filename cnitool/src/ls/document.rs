//! The list for programs.

use serde::Serialize;

use crate::attachments::{Attachment, Thing};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    attachments: Vec<Entry<'a>>,
    /// What could not be looked at.
    missing: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    network: Option<&'a str>,
    #[serde(rename = "containerID")]
    container_id: Option<&'a str>,
    ifname: Option<&'a str>,
    pod: Option<&'a str>,
    pod_namespace: Option<&'a str>,
    addresses: Vec<String>,
    mac: Option<&'a str>,
    host_link: Option<&'a str>,
    vlans: &'a [u16],
    ports: Vec<String>,
    /// Bits per second.
    ingress_rate: u64,
    egress_rate: u64,
    netns: Option<String>,
    cache_file: Option<String>,
    owner: Option<&'a str>,
    held: Vec<Held<'a>>,
    state: &'static str,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Held<'a> {
    part: &'a str,
    what: &'a str,
}

pub(super) fn document(attachments: &[&Attachment], missing: &[String]) -> String {
    let document = Document { attachments: attachments.iter().map(|a| Entry::new(a)).collect(), missing };
    // Texts and numbers: there is nothing that could not be written.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

impl<'a> Entry<'a> {
    fn new(attachment: &'a Attachment) -> Self {
        let (id, kept) = (attachment.id.as_ref(), attachment.kept.as_ref());
        let limits = kept.map(|kept| kept.limits()).unwrap_or_default();
        let held = |thing: &'a Thing| Held { part: &thing.part, what: &thing.what };
        let netns = kept.and_then(|kept| kept.conf.netns.as_ref());
        Self {
            network: attachment.network.as_ref().map(|name| name.as_str()),
            container_id: id.map(|id| id.container_id.as_str()),
            ifname: id.map(|id| id.ifname.as_str()),
            pod: attachment.argument("K8S_POD_NAME"),
            pod_namespace: attachment.argument("K8S_POD_NAMESPACE"),
            addresses: attachment.addresses(),
            mac: attachment.link.as_ref().map(|link| link.mac.as_str()),
            host_link: attachment.host_link.as_ref().map(|link| link.name.as_str()),
            vlans: &attachment.vlans,
            ports: kept
                .map(|kept| kept.ports().iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            ingress_rate: limits.ingress_rate,
            egress_rate: limits.egress_rate,
            netns: netns.map(|netns| netns.display().to_string()),
            cache_file: attachment.file.as_ref().map(|file| file.display().to_string()),
            owner: attachment.owner.as_deref(),
            held: attachment.held.iter().map(held).collect(),
            state: attachment.state.word(),
            why: attachment.state.why(),
        }
    }
}
