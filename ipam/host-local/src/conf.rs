//! The configuration: the `ipam` object, and what the runtime adds to it.

mod range;
mod range_set;
mod requested;
mod resolv;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cni_types::{
    Cidr, Dns, Doing, Error, Json, Key, Network, OptionalIp, PluginKeys, Result, Route, SpecVersion, excerpt,
    keys,
};

pub(crate) use range::{Range, RangeKeys, offset};
pub(crate) use range_set::RangeSet;

use range_set::range_sets;
use requested::{Wish, requested};

/// Where the reservations of all networks are, unless `dataDir` says otherwise.
const DATA_DIR: &str = "/var/lib/cni/networks";

keys! {
    struct Document {
        "ipam" ipam: Option<IpamKeys>, required();
        "runtimeConfig" runtime_config: RuntimeKeys;
        "args" args: ArgsKeys;
    }

    struct IpamKeys {
        /// range sets; one address is given from each set; the ranges of a set are one pool
        "ranges" ranges: Vec<Vec<RangeKeys>>;
        // The oldest form: one range, its keys right in `ipam`.
        /// one range in front of `ranges`: as `subnet` there
        "subnet" subnet: Option<Cidr>;
        /// as in `ranges`
        "rangeStart" range_start: OptionalIp, needs("subnet");
        /// as in `ranges`
        "rangeEnd" range_end: OptionalIp, needs("subnet");
        /// as in `ranges`
        "gateway" gateway: OptionalIp, needs("subnet");
        /// copied to the result
        "routes" routes: Vec<Route>;
        /// a file whose settings become the result's `dns`
        "resolvConf" resolv_conf: String;
    }

    struct RuntimeKeys {
        /// range sets in front of all others
        "ipRanges" ip_ranges: Vec<Vec<RangeKeys>>;
        /// addresses asked for, `ip` or `ip/prefix`
        "ips" ips: Vec<Wish>;
    }

    struct ArgsKeys {
        "cni" cni: CniArgsKeys;
    }

    struct CniArgsKeys {
        /// addresses asked for, `ip` or `ip/prefix`
        "ips" ips: Vec<Wish>;
    }
}

/// What `host-local` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "host-local",
    keys: &[
        Document::KEYS,
        &[Key::object(
            "ipam",
            &[Key::of::<String>("dataDir", "where the reservations are")
                .otherwise("`/var/lib/cni/networks`")],
        )],
    ],
    args: &[Key::of::<Wish>("IP", "an address asked for")],
};

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Conf {
    /// Where this network's reservations are.
    pub(crate) directory: PathBuf,
    /// The sets to allocate from: `runtimeConfig.ipRanges`, the oldest form, `ipam.ranges`. For STATUS there may be
    /// none.
    pub(crate) sets: Vec<RangeSet>,
    /// The addresses asked for.
    pub(crate) requested: Vec<IpAddr>,
    /// Copied to the result.
    pub(crate) routes: Vec<Route>,
    resolv_conf: PathBuf,
}

impl Conf {
    /// Reads and checks everything but the file `resolvConf` names.
    ///
    /// # Errors
    /// Code 6 for values of the wrong type or form, 7 for invalid ranges, 4 for bad `CNI_ARGS`.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        Self::read_with(network, range_sets)
    }

    /// As [`Conf::read`], but no range is needed if the runtime gives them (capability `ipRanges`): it does so when it
    /// adds an attachment, and STATUS is about none.
    pub(crate) fn read_for_status(network: &Network) -> Result<Self> {
        let capability = network.json().get("capabilities").and_then(|all| all.get("ipRanges"));
        let given_later = matches!(capability, Some(Json::Bool(true)));
        Self::read_with(
            network,
            |keys| if keys.is_empty() && given_later { Ok(vec![]) } else { range_sets(keys) },
        )
    }

    fn read_with(
        network: &Network,
        range_sets: impl Fn(&[Vec<RangeKeys>]) -> Result<Vec<RangeSet>>,
    ) -> Result<Self> {
        let given = |object: &str, key: &str| network.json().get(object).and_then(|json| json.get(key));
        refuse_flat("ipam.ranges", given("ipam", "ranges"))?;
        refuse_flat("runtimeConfig.ipRanges", given("runtimeConfig", "ipRanges"))?;
        let document: Document = network.conf()?;
        let ipam = document.ipam.ok_or_else(|| Error::config("IPAM config missing 'ipam' key"))?;
        let requested = requested(&network.args, &document.args.cni.ips, &document.runtime_config.ips)?;
        let mut keys = document.runtime_config.ip_ranges;
        if ipam.subnet.is_some() {
            let IpamKeys { subnet, range_start, range_end, gateway, .. } = ipam;
            keys.push(vec![RangeKeys { subnet, range_start, range_end, gateway }]);
        }
        keys.extend(ipam.ranges);
        let sets = range_sets(&keys).doing(format!("network {}", network.name))?;
        require_one_per_family(&sets, network.version)?;
        Ok(Self {
            directory: directory(network)?,
            sets,
            requested,
            routes: ipam.routes,
            resolv_conf: ipam.resolv_conf.into(),
        })
    }

    /// The resolver settings of `resolvConf`; none without that key.
    ///
    /// # Errors
    /// Code 5 when the file cannot be read.
    pub(crate) fn dns(&self) -> Result<Dns> {
        if self.resolv_conf.as_os_str().is_empty() {
            return Ok(Dns::default());
        }
        // Opening a FIFO would wait for a writer.
        let doing = || format!("cannot read ipam.resolvConf {}", self.resolv_conf.display());
        if !fs::metadata(&self.resolv_conf).doing(doing())?.is_file() {
            return Err(Error::config(format!("{}: it is not a regular file", doing())));
        }
        let bytes = fs::read(&self.resolv_conf).doing(doing())?;
        Ok(resolv::parse(&String::from_utf8_lossy(&bytes)))
    }
}

/// The directory of this network's reservations: all that DEL and GC need to know.
///
/// # Errors
/// Code 6 when `ipam.dataDir` is not a text.
pub(crate) fn directory(network: &Network) -> Result<PathBuf> {
    let data_dir = match network.json().get("ipam").and_then(|ipam| ipam.get("dataDir")) {
        None => DATA_DIR,
        Some(Json::String(text)) if text.is_empty() => DATA_DIR,
        Some(Json::String(text)) if text.contains('\0') => {
            return Err(Error::config(format!("ipam.dataDir {} is no path: it holds NUL", excerpt(text))));
        }
        Some(Json::String(text)) => text,
        Some(_) => {
            return Err(Error::decode("key \"ipam.dataDir\": it must be a text, the path of a directory"));
        }
    };
    Ok(Path::new(data_dir).join(network.name.as_str()))
}

/// # Errors
/// Code 6 for ranges where sets of ranges have to be.
fn refuse_flat(key: &str, sets: Option<&Json>) -> Result<()> {
    let is_range = |json: &Json| matches!(json, Json::Object(_));
    let place = match sets {
        Some(Json::Array(sets)) => sets.iter().position(is_range).map(|i| format!("{key}[{i}]")),
        sets => sets.is_some_and(is_range).then(|| key.to_owned()),
    };
    let Some(place) = place else { return Ok(()) };
    Err(Error::decode(format!(
        "key {place:?}: it is a range; {key} is a list of range sets, each a list of ranges"
    ))
    .because("write it with two brackets: [[{ \"subnet\": \"10.1.0.0/16\" }]]"))
}

/// Results of 0.1.0 and 0.2.0 hold one address per family.
fn require_one_per_family(sets: &[RangeSet], version: SpecVersion) -> Result<()> {
    let v4 = sets.iter().filter(|set| set.is_ipv4()).count();
    if version >= SpecVersion::V0_3_0 || (v4 <= 1 && sets.len() - v4 <= 1) {
        return Ok(());
    }
    Err(Error::config(format!("CNI version {version} does not support more than 1 address per family"))
        .because(format!("there are {} range sets; use cniVersion 0.3.0 or later", sets.len())))
}

#[cfg(test)]
mod tests;
