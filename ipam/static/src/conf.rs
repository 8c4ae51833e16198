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
mod tests {
    use cni_types::NetworkName;

    use super::*;

    fn read(version: SpecVersion, text: &str, args: &str) -> Result<Conf> {
        let json = Json::parse(text.as_bytes()).unwrap();
        let mut network =
            Network::new(NetworkName::new("n").unwrap(), version, json, text.as_bytes().to_vec());
        network.args = CniArgs::new(args);
        Conf::read(&network)
    }

    /// `address>gateway`, joined by spaces.
    fn ips(text: &str, args: &str) -> String {
        let conf = read(SpecVersion::V1_1_0, text, args).unwrap();
        let texts = conf.ips.iter().map(|ip| match ip.gateway {
            Some(gateway) => format!("{}>{gateway}", ip.address),
            None => ip.address.to_string(),
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sources_add_up_or_replace_each_other() {
        let all = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"0:01ff::1/64"}]}"#;
        let args = "IgnoreUnknown=1;X=1;IP=10.9.9.9/8, 11.0.0.1/8;GATEWAY=10.0.0.1,10.1.2.254, 77.0.0.1";
        for (rest, args, wanted) in [
            ("}", "", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
            ("}", "IP=;GATEWAY=", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
            ("}", args, "10.1.2.3/24>10.1.2.1 0:1ff::1/64 10.9.9.9/8>10.1.2.254 11.0.0.1/8"),
            (r#","args":{"cni":{"ips":[]}},"runtimeConfig":{}}"#, "", "10.1.2.3/24>10.1.2.1 0:1ff::1/64"),
            (r#","args":{"cni":{"ips":["10.5.0.1/16"]}}}"#, args, "10.5.0.1/16"),
            (
                r#","args":{"cni":{"ips":["10.5.0.1/16"]}},"RuntimeConfig":{"ips":["10.6.0.1/16"]}}"#,
                args,
                "10.6.0.1/16",
            ),
        ] {
            assert_eq!(ips(&format!("{all}{rest}"), args), wanted, "{rest} {args}");
        }
        assert_eq!(ips(r#"{"ipam":{}}"#, ""), "");
    }

    #[test]
    fn bad_values_name_their_source() {
        let good = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24"}]}"#;
        for (text, args, code, wanted) in [
            (
                r#"{"args":{"cni":{"ips":["10.1.2.3/24"]}}}"#.to_owned(),
                "",
                7,
                "IPAM config missing 'ipam' key",
            ),
            (r#"{"ipam":[]}"#.to_owned(), "", 6, "key \"ipam\""),
            (
                r#"{"ipam":{"addresses":["10.1.2.3/24"]}}"#.to_owned(),
                "",
                6,
                "key \"ipam.addresses[0]\": it must be an object: write { \"address\": \"10.1.2.3/24\" }",
            ),
            (
                r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1/24"}]}}"#.to_owned(),
                "",
                6,
                "write it without the prefix length, 10.1.2.1",
            ),
            (
                r#"{"ipam":{"addresses":[{"address":"10.1.2.3"}]}}"#.to_owned(),
                "",
                6,
                "ipam.addresses[0].address\": invalid CIDR address \"10.1.2.3\"",
            ),
            (
                r#"{"ipam":{"addresses":[{"address":"10.1.2.3/33"}]}}"#.to_owned(),
                "",
                6,
                "the prefix length must be 0–32",
            ),
            (
                r#"{"ipam":{"addresses":[{"gateway":"10.1.2.3"}]}}"#.to_owned(),
                "",
                6,
                "key \"ipam.addresses[0].address\": invalid CIDR address \"\"",
            ),
            (
                r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24","gateway":"x"}]}}"#.to_owned(),
                "",
                6,
                "ipam.addresses[0].gateway",
            ),
            (
                format!("{good},\"args\":{{\"cni\":{{\"ips\":[\"10.1.2.3\"]}}}}}}"),
                "",
                6,
                "key \"args.cni.ips[0]\"",
            ),
            (format!("{good},\"runtimeConfig\":{{\"ips\":[7]}}}}"), "", 6, "key \"runtimeConfig.ips[0]\""),
            (
                format!("{good}}}"),
                "IP=10.1.2.3",
                4,
                "CNI_ARGS: invalid IP \"10.1.2.3\": it must be <ip>/<prefix length>",
            ),
            (format!("{good}}}"), "IP=10.1.2.3/24,", 4, "CNI_ARGS: invalid IP \"\""),
            (format!("{good}}}"), "GATEWAY=x", 4, "CNI_ARGS: invalid GATEWAY \"x\""),
            (format!("{good}}}"), "gateway=10.1.2.1", 4, "unknown args"),
        ] {
            let error = read(SpecVersion::V1_1_0, &text, args).unwrap_err();
            assert_eq!(error.code.0, code, "{text} {args}: {error}");
            assert!(error.to_string().contains(wanted), "{text} {args}: {error}");
        }
    }

    #[test]
    fn old_versions_hold_one_address_per_family() {
        let both = r#"{"ipam":{"addresses":[{"address":"10.1.2.3/24"},{"address":"::1/64"}]}}"#;
        assert!(read(SpecVersion::V0_2_0, both, "").is_ok());
        let error = read(SpecVersion::V0_2_0, both, "IP=10.1.2.4/24").unwrap_err();
        assert_eq!(error.msg, "CNI version 0.2.0 does not support more than 1 address per family");
        assert!(read(SpecVersion::V0_3_0, both, "IP=10.1.2.4/24").is_ok());
    }
}
