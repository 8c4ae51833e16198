//! The keys of `portmap`, read and validated.

use cni_filter::Filter;
use cni_filter::masquerade::Backend;
use cni_types::{Error, Family, Network, Result, excerpt};
use serde::Deserialize;

use crate::mapping::{Mapping, MappingKeys};

/// The bit of the packet mark that asks for masquerade, if none is configured.
const MARK_BIT: i64 = 13;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    backend: Option<String>,
    snat: bool,
    masq_all: bool,
    mark_masq_bit: Option<i64>,
    external_set_mark_chain: Option<String>,
    conditions_v4: Vec<String>,
    conditions_v6: Vec<String>,
    runtime_config: RuntimeConfig,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            backend: None,
            snat: true,
            masq_all: false,
            mark_masq_bit: None,
            external_set_mark_chain: None,
            conditions_v4: Vec::new(),
            conditions_v6: Vec::new(),
            runtime_config: RuntimeConfig::default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RuntimeConfig {
    port_mappings: Vec<MappingKeys>,
}

/// A valid configuration.
pub(crate) struct Conf {
    /// What is to be mapped; empty means nothing to do.
    pub(crate) mappings: Vec<Mapping>,
    /// Masquerade what comes from the container's own network or from 127.0.0.0/8.
    pub(crate) snat: bool,
    /// Masquerade whatever is mapped.
    pub(crate) masquerade_all: bool,
    /// The mark that asks iptables for masquerade: one bit.
    pub(crate) mark: u32,
    /// Somebody else's chain that sets a mark, instead of ours.
    pub(crate) set_mark_chain: Option<String>,
    /// What else a packet must satisfy, by family: IPv4, IPv6.
    conditions: [Vec<String>; 2],
    /// The configured backend.
    backend: Option<Backend>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed or a contradiction.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let mappings = Mapping::read_all(&keys.runtime_config.port_mappings)?;
        let set_mark_chain = keys.external_set_mark_chain.filter(|name| !name.is_empty());
        if set_mark_chain.is_some() && keys.mark_masq_bit.is_some() {
            return Err(Error::config("Cannot specify externalSetMarkChain and markMasqBit"));
        }
        if let Some(name) = set_mark_chain.as_deref().filter(|name| !is_chain_name(name)) {
            return Err(Error::config(format!(
                "invalid externalSetMarkChain {}: it must be a chain's name of at most 28 characters, without \
                 spaces and not starting with - or !",
                excerpt(name)
            )));
        }
        let bit = keys.mark_masq_bit.unwrap_or(MARK_BIT);
        let bit = u32::try_from(bit).ok().filter(|bit| *bit <= 31);
        let bit =
            bit.ok_or_else(|| Error::config("MasqMarkBit must be between 0 and 31: see markMasqBit"))?;
        let conf = Self {
            mappings,
            snat: keys.snat,
            masquerade_all: keys.masq_all,
            mark: 1 << bit,
            set_mark_chain,
            conditions: [keys.conditions_v4, keys.conditions_v6],
            backend: keys.backend.as_deref().map(backend).transpose()?,
        };
        if let Some(backend) = conf.backend {
            conf.refuse_foreign_options(backend)?;
        }
        Ok(conf)
    }

    /// The configured backend, or the one that works here.
    ///
    /// # Errors
    /// Code 7 when it does not take the options that are set.
    pub(crate) fn choose(&self, filter: &Filter) -> Result<Backend> {
        let backend = Backend::choose(filter, self.backend);
        self.refuse_foreign_options(backend)?;
        Ok(backend)
    }

    /// Whether nftables may carry the mappings where iptables cannot: nobody has asked for iptables or its options.
    pub(crate) fn is_free(&self) -> bool {
        self.backend.is_none() && self.refuse_foreign_options(Backend::Nftables).is_ok()
    }

    /// What else a packet of the family must satisfy, in the backend's words.
    pub(crate) fn conditions(&self, family: Family) -> &[String] {
        let words = &self.conditions[family];
        if words.first().is_none_or(String::is_empty) { &[] } else { words }
    }

    fn refuse_foreign_options(&self, backend: Backend) -> Result<()> {
        let is_iptables = |family| self.conditions(family).first().is_some_and(|w| w.starts_with(['-', '!']));
        let is_nftables = |family| !self.conditions(family).is_empty() && !is_iptables(family);
        let (chosen, other, options) = match backend {
            Backend::Nftables => (
                "nftables",
                "iptables",
                [self.set_mark_chain.is_some(), is_iptables(Family::V4), is_iptables(Family::V6)],
            ),
            Backend::Iptables => {
                ("iptables", "nftables", [false, is_nftables(Family::V4), is_nftables(Family::V6)])
            }
        };
        let names = ["externalSetMarkChain", "conditionsV4", "conditionsV6"];
        let foreign: Vec<_> =
            names.into_iter().zip(options).filter(|(_, set)| *set).map(|(name, _)| name).collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(Error::config(format!(
            "{chosen} backend was requested but configuration contains {other}-specific options [{}]",
            foreign.join(" ")
        )))
    }
}

fn backend(text: &str) -> Result<Backend> {
    Backend::parse(text).map_err(|_| {
        Error::config(format!(
            "unrecognized backend {}: it must be \"iptables\" or \"nftables\"",
            excerpt(text)
        ))
    })
}

/// `XT_EXTENSION_MAXNAMELEN` less its NUL.
fn is_chain_name(name: &str) -> bool {
    name.len() <= 28
        && !name.starts_with(['-', '!'])
        && name.chars().all(|c| !c.is_whitespace() && !c.is_control())
}
