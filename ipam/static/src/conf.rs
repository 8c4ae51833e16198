//! The configuration: the `ipam` object, and the addresses a runtime puts beside it.

use cni_types::{
    Cidr, CniArgs, Code, Dns, Error, IpConfig, Json, Key, Network, OptionalIp, PluginKeys, Result, Route,
    SpecVersion, Text, excerpt, keys, parse_ip,
};

keys! {
    struct Document {
        "ipam" ipam: Option<IpamKeys>, required();
        "args" args: ArgsKeys;
        "runtimeConfig" runtime_config: RuntimeIps;
    }

    struct IpamKeys {
        /// the addresses
        "addresses" addresses: Vec<AddressKeys>;
        /// copied to the result
        "routes" routes: Vec<Route>;
        /// copied to the result
        "dns" dns: Dns;
    }

    struct AddressKeys {
        // Read only if it is not replaced, as by the reference.
        /// `<ip>/<prefix length>`, host part kept
        "address" address: Text<Cidr>, required();
        /// the gateway in that network
        "gateway" gateway: OptionalIp;
    }

    struct ArgsKeys {
        "cni" cni: CniIps;
    }

    struct CniIps {
        /// if not empty: instead of `ipam.addresses` and `IP`, without gateways
        "ips" ips: Vec<Cidr>;
    }

    struct RuntimeIps {
        /// if not empty: instead of all others, without gateways
        "ips" ips: Vec<Cidr>;
    }
}

/// What `static` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "static",
    keys: &[Document::KEYS],
    args: &[
        Key::of::<String>("IP", "more addresses, comma-separated, behind `ipam.addresses`"),
        Key::of::<String>(
            "GATEWAY",
            "comma-separated; each becomes the gateway of every address of `IP` whose network it lies in",
        ),
    ],
};

/// A valid configuration: what ADD answers.
#[derive(Debug)]
pub(crate) struct Conf {
    pub(crate) ips: Vec<IpConfig>,
    pub(crate) routes: Vec<Route>,
    pub(crate) dns: Dns,
}

impl Conf {
    /// `ipam.addresses` with those of `CNI_ARGS` behind them; instead of all these `args.cni.ips`, if it has any;
    /// instead of all those `runtimeConfig.ips`, if it has any.
    ///
    /// # Errors
    /// Code 6 for values of the wrong type or form, 4 for bad `CNI_ARGS`, 7 for a missing key or a version that cannot
    /// express the addresses.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        refuse_texts(network)?;
        let document: Document = network.conf()?;
        let ipam = document.ipam.ok_or_else(|| Error::config("IPAM config missing 'ipam' key"))?;
        let more = args_addresses(&network.args)?;
        let [by_args, by_runtime] = [document.args.cni.ips, document.runtime_config.ips];
        let instead = if by_runtime.is_empty() { by_args } else { by_runtime };
        let ips = if instead.is_empty() {
            let mut ips = configured(ipam.addresses)?;
            ips.extend(more);
            ips
        } else {
            instead.into_iter().map(bare).collect()
        };
        require_one_per_family(&ips, network.version)?;
        Ok(Self { ips, routes: ipam.routes, dns: ipam.dns })
    }
}

/// # Errors
/// Code 6 for addresses that are texts: elsewhere they are.
fn refuse_texts(network: &Network) -> Result<()> {
    let addresses = network.json().get("ipam").and_then(|ipam| ipam.get("addresses"));
    let Some(Json::Array(addresses)) = addresses else { return Ok(()) };
    let text = (0..).zip(addresses).find_map(|(i, json)| match json {
        Json::String(text) => Some((i, excerpt(text))),
        _ => None,
    });
    let Some((i, text)) = text else { return Ok(()) };
    let i: usize = i;
    Err(Error::decode(format!("key \"ipam.addresses[{i}]\": it must be an object"))
        .because(format!("write {{ \"address\": {text} }}, with its prefix length")))
}

fn bare(address: Cidr) -> IpConfig {
    IpConfig { interface: None, address, gateway: None }
}

fn configured(addresses: Vec<AddressKeys>) -> Result<Vec<IpConfig>> {
    let read = |(i, keys): (usize, AddressKeys)| {
        let bad = |problem| Error::decode(format!("key \"ipam.addresses[{i}].address\": {problem}"));
        let address = keys.address.as_str().parse().map_err(bad)?;
        Ok(IpConfig { interface: None, address, gateway: keys.gateway.0 })
    };
    addresses.into_iter().enumerate().map(read).collect()
}

/// The addresses in `IP` of `CNI_ARGS`; each `GATEWAY` becomes that of those among them whose network it lies in. The
/// reference does not touch the gateways of `ipam.addresses` either.
fn args_addresses(args: &CniArgs) -> Result<Vec<IpConfig>> {
    let bad = |key: &str, text: &str, form: &str| {
        Error::new(Code::ENVIRONMENT, format!("CNI_ARGS: invalid {key} {}: it must be {form}", excerpt(text)))
    };
    let [addresses, gateways] = args.values(["IP", "GATEWAY"])?;
    let mut ips = Vec::new();
    for text in list(addresses.as_deref()) {
        let address =
            text.parse().map_err(|_| bad("IP", text, "<ip>/<prefix length>, or several with commas"))?;
        ips.push(bare(address));
    }
    for text in list(gateways.as_deref()) {
        let gateway = parse_ip(text).ok_or_else(|| {
            bad("GATEWAY", text, "an IP address, or several with commas (invalid gateway address)")
        })?;
        for ip in ips.iter_mut().filter(|ip| ip.address.contains(gateway)) {
            ip.gateway = Some(gateway);
        }
    }
    Ok(ips)
}

/// The items of a comma-separated list; an empty text has none.
fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.filter(|text| !text.is_empty()).into_iter().flat_map(|text| text.split(',')).map(str::trim)
}

/// Results of 0.1.0 and 0.2.0 hold one address per family.
fn require_one_per_family(ips: &[IpConfig], version: SpecVersion) -> Result<()> {
    let v4 = ips.iter().filter(|ip| ip.address.is_ipv4()).count();
    if version >= SpecVersion::V0_3_0 || (v4 <= 1 && ips.len() - v4 <= 1) {
        return Ok(());
    }
    Err(Error::config(format!("CNI version {version} does not support more than 1 address per family"))
        .because(format!("there are {} addresses; use cniVersion 0.3.0 or later", ips.len())))
}

#[cfg(test)]
mod tests;
