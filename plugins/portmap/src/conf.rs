//! The keys of `portmap`, read and validated.

use cni_filter::Filter;
use cni_filter::masquerade::Backend;
use cni_types::{Error, Family, Network, PluginKeys, Result, Text, Whole, excerpt, keys};

use crate::mapping::{Mapping, MappingKeys};

/// The mark's bits.
type Bit = Whole<0, 31>;

keys! {
    struct Keys {
        "runtimeConfig" runtime_config: RuntimeConfig;
        /// what carries the mappings
        "backend" backend: Option<Text<Backend>>, otherwise("`iptables`, or `nftables` where only that works");
        /// masquerade what comes from the container's own network, and from localhost
        "snat" snat: bool = true;
        /// with `snat`: masquerade all that is mapped
        "masqAll" masq_all: bool;
        /// what else an IPv4 packet must satisfy, words in the backend's language
        "conditionsV4" conditions_v4: Vec<String>;
        /// what else an IPv6 packet must satisfy
        "conditionsV6" conditions_v6: Vec<String>;
        /// the mark's bit; iptables only
        "markMasqBit" mark_masq_bit: Option<Bit>, value("13"), excludes("externalSetMarkChain");
        /// an existing chain that sets the mark, instead of ours; iptables only
        "externalSetMarkChain" external_set_mark_chain: Option<String>, excludes("markMasqBit");
    }

    struct RuntimeConfig {
        /// what is mapped; the runtime fills it in
        "portMappings" port_mappings: Vec<MappingKeys>, otherwise("nothing to do");
    }
}

/// What `portmap` can be told.
pub const KEYS: PluginKeys = PluginKeys { plugin: "portmap", keys: &[Keys::KEYS], args: &[] };

/// The bit of the packet mark that asks for masquerade, if none is configured.
const MARK_BIT: Bit = Whole(13);

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
        let bit = bit.within::<u32>();
        let bit =
            bit.ok_or_else(|| Error::config("MasqMarkBit must be between 0 and 31: see markMasqBit"))?;
        let conf = Self {
            mappings,
            snat: keys.snat,
            masquerade_all: keys.masq_all,
            mark: 1 << bit,
            set_mark_chain,
            conditions: [keys.conditions_v4, keys.conditions_v6],
            backend: keys.backend.map(|backend| backend.read("backend")).transpose()?,
        };
        if let Some(backend) = conf.backend {
            conf.refuse_foreign_options(backend)?;
        }
        Ok(conf)
    }

    /// With this node's default where the configuration asks for no backend, neither by name nor by options that only
    /// the other one takes.
    ///
    /// # Errors
    /// Those of [`Backend::or_of_node`].
    pub(crate) fn or_of_node(mut self) -> Result<Self> {
        let backend = Backend::or_of_node(self.backend)?;
        self.backend = backend.filter(|backend| self.refuse_foreign_options(*backend).is_ok());
        Ok(self)
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

/// `XT_EXTENSION_MAXNAMELEN` less its NUL.
fn is_chain_name(name: &str) -> bool {
    name.len() <= 28
        && !name.starts_with(['-', '!'])
        && name.chars().all(|c| !c.is_whitespace() && !c.is_control())
}
