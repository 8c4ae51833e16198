//! The keys of `firewall`, read and validated.

use crate::forward::{AdminChain, FirewallBackend, Ingress, Isolation, Policy, Zone};
use cni_types::{
    CniResult, Code, Doing, Error, FromText, IfName, Network, PluginKeys, Result, Text, excerpt, keys,
    sort_and_dedup, words,
};

keys! {
    struct Keys {
        /// what carries the rules
        "backend" backend: Text<FirewallBackend>,
            otherwise("`firewalld` where it runs, else `iptables`, or `nftables` where only that works");
        /// the zone firewalld gets the addresses for
        "firewalldZone" firewalld_zone: Text<Zone>, otherwise("`trusted`");
        /// asked before anything is accepted, with both backends; 1–28 letters, digits, `_`, `.`, `-`
        "iptablesAdminChainName" iptables_admin_chain_name: Text<AdminChain>, otherwise("`CNI-ADMIN`");
        /// `same-bridge`: what comes from another bridge with a policy is dropped; `isolated`: also what comes from the
        /// same bridge
        "ingressPolicy" ingress_policy: Text<IngressPolicy>, otherwise("`open`");
    }
}

/// What `firewall` can be told.
pub const KEYS: PluginKeys = PluginKeys { plugin: "firewall", keys: &[Keys::KEYS], args: &[] };

#[derive(Clone, Copy, Default)]
enum IngressPolicy {
    #[default]
    Open,
    SameBridge,
    Isolated,
}

words!(IngressPolicy { Open = "open", SameBridge = "same-bridge", Isolated = "isolated" });

/// A valid configuration.
pub(crate) struct Conf {
    /// The backend that was asked for, if one was.
    pub(crate) backend: Option<FirewallBackend>,
    admin: AdminChain,
    zone: Zone,
    ingress: Option<Ingress>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let ingress = match keys.ingress_policy.read_if_given("ingressPolicy")?.unwrap_or_default() {
            IngressPolicy::Open => None,
            IngressPolicy::SameBridge => Some(Ingress::SameBridge),
            IngressPolicy::Isolated => Some(Ingress::Isolated),
        };
        Ok(Self {
            backend: FirewallBackend::or_of_node(keys.backend.read_if_given("backend")?)?,
            admin: keys
                .iptables_admin_chain_name
                .read_if_given("iptablesAdminChainName")?
                .unwrap_or_default(),
            zone: keys.firewalld_zone.read_if_given("firewalldZone")?.unwrap_or_default(),
            ingress,
        })
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
        sort_and_dedup(&mut ips);
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
    Some(json.get_str("firewalldZone").and_then(|name| Zone::from_text(name).ok()).unwrap_or_default())
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
