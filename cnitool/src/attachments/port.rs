//! The ports that a runtime asked for.

use std::fmt;

use serde::Deserialize;

use crate::cache::Kept;

/// One mapping of the capability `portMappings`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Port {
    pub(crate) host_port: u16,
    pub(crate) container_port: u16,
    #[serde(default = "tcp")]
    pub(crate) protocol: String,
    #[serde(default, rename = "hostIP")]
    pub(crate) host_ip: String,
}

fn tcp() -> String {
    "tcp".into()
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.host_ip.is_empty() && !["0.0.0.0", "::"].contains(&self.host_ip.as_str()) {
            write!(f, "{}:", self.host_ip)?;
        }
        write!(f, "{}→{}/{}", self.host_port, self.container_port, self.protocol.to_ascii_lowercase())
    }
}

impl Kept {
    /// Those that a plugin of the chain got; none where the runtime's words make no sense.
    pub(crate) fn ports(&self) -> Vec<Port> {
        let takes = self.list.plugins.iter().any(|plugin| plugin.has_capability("portMappings"));
        let said = self.conf.capability_args.get("portMappings").filter(|_| takes);
        let ports: Vec<Port> = said.and_then(|said| said.decode().ok()).unwrap_or_default();
        ports.into_iter().filter(|port| port.host_port != 0).collect()
    }
}
