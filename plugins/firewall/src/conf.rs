//! The keys of `firewall`, read and validated.

use crate::forward::{AdminChain, Backend, Ingress, Isolation, Policy, Zone};
use cni_types::{CniResult, Code, Doing, Error, IfName, Network, Result, excerpt};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    backend: String,
    iptables_admin_chain_name: String,
    firewalld_zone: String,
    ingress_policy: String,
}

/// A valid configuration.
pub(crate) struct Conf {
    /// The backend that was asked for, if one was.
    pub(crate) backend: Option<Backend>,
    admin: AdminChain,
    zone: Zone,
    ingress: Option<Ingress>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let admin = match keys.iptables_admin_chain_name.as_str() {
            "" => AdminChain::default(),
            name => AdminChain::new(name)?,
        };
        let zone = match keys.firewalld_zone.as_str() {
            "" => Zone::default(),
            name => Zone::new(name)?,
        };
        Ok(Self { backend: backend(&keys.backend)?, admin, zone, ingress: ingress(&keys.ingress_policy)? })
    }

    /// Whether bridges are to be kept apart.
    pub(crate) fn isolates(&self) -> bool {
        self.ingress.is_some()
    }

    /// Whether containers of one bridge are to be kept apart.
    pub(crate) fn isolates_containers(&self) -> bool {
        self.ingress == Some(Ingress::Isolated)
    }

    /// What has to be done for the container of the previous plugins' result.
    ///
    /// # Errors
    /// Code 7 when it names no bridge where the policy needs one.
    pub(crate) fn policy(&self, result: &CniResult) -> Result<Policy> {
        let mut ips: Vec<_> = result.ips.iter().map(|ip| ip.address.ip()).collect();
        ips.sort_unstable();
        ips.dedup();
        let isolation = match self.ingress {
            Some(ingress) => Some(Isolation { ingress, bridge: bridge(result)? }),
            None => None,
        };
        Ok(Policy { ips, admin: self.admin.clone(), isolation, zone: self.zone.clone() })
    }
}

/// Where firewalld may have addresses that the reference has put there; `None` if the configuration says it has none.
/// Nothing in it is wrong enough to stop a DEL.
pub(crate) fn zone_hint(network: &Network) -> Option<Zone> {
    let json = network.json();
    if matches!(json.get_str("backend"), Some("iptables" | "nftables")) {
        return None;
    }
    Some(json.get_str("firewalldZone").and_then(|name| Zone::new(name).ok()).unwrap_or_default())
}

fn backend(text: &str) -> Result<Option<Backend>> {
    match text {
        "" => Ok(None),
        "iptables" => Ok(Some(Backend::Iptables)),
        "nftables" => Ok(Some(Backend::Nftables)),
        "firewalld" => Ok(Some(Backend::Firewalld)),
        other => Err(Error::config(format!(
            "invalid backend {}: it must be \"iptables\", \"nftables\" or \"firewalld\"",
            excerpt(other)
        ))),
    }
}

fn ingress(text: &str) -> Result<Option<Ingress>> {
    match text {
        "" | "open" => Ok(None),
        "same-bridge" => Ok(Some(Ingress::SameBridge)),
        "isolated" => Ok(Some(Ingress::Isolated)),
        other => Err(Error::config(format!(
            "unknown ingressPolicy {}: it must be \"open\", \"same-bridge\" or \"isolated\"",
            excerpt(other)
        ))),
    }
}

/// The bridge: the first interface of the result.
fn bridge(result: &CniResult) -> Result<IfName> {
    let name = result.interfaces.first().map(|interface| interface.name.as_str()).unwrap_or_default();
    let doing = "ingressPolicy needs a bridge as the first interface of prevResult";
    let bridge = IfName::new(name).map_err(|error| error.with_code(Code::CONFIG)).doing(doing)?;
    // A '+' at the end makes it a pattern to iptables, a '!' or '-' in front something else than a name, and quotes
    // would come out of iptables-save as they are, so that nobody could restore the node's rules.
    let plain = |c: char| c.is_alphanumeric() || "_.-@".contains(c);
    if name.starts_with('-') || !name.chars().all(plain) {
        return Err(Error::config(format!(
            "{doing}: it must hold letters, digits, '_', '.', '-' and '@' only, and not start with '-'"
        ))
        .because(excerpt(name)));
    }
    Ok(bridge)
}
