//! The sysctls of the configuration: each key as it is written, and the file it means.

use cni_types::{Error, Json, Network, Result, excerpt};

/// What stands for the interface's name in a key.
const IFNAME: &str = "IFNAME";

/// Those of a configuration, which need not know the interface yet.
#[derive(Debug)]
pub(crate) struct Sysctls {
    own: Vec<Sysctl>,
    args: Vec<Sysctl>,
}

impl Sysctls {
    /// # Errors
    /// Code 6 for what is no object of strings, code 7 for a key that leaves `/proc/sys/net`, or says the same sysctl
    /// twice whatever the interface is called.
    pub(super) fn read(network: &Network) -> Result<Self> {
        let conf = network.json();
        let args = conf.get("args").and_then(|args| args.get("cni")).and_then(|cni| cni.get("sysctl"));
        let sysctls = Self { own: read("sysctl", conf.get("sysctl"))?, args: read("args.cni.sysctl", args)? };
        sysctls.unnamed()?;
        Ok(sysctls)
    }

    /// Those of an interface, in the order they are set: those of `args.cni.sysctl` replace those of `sysctl` and come
    /// behind the others.
    ///
    /// # Errors
    /// Code 7 when two keys say the same sysctl.
    pub(crate) fn of(&self, ifname: &str) -> Result<Vec<Sysctl>> {
        let mut all = named("sysctl", &self.own, ifname)?;
        let args = named("args.cni.sysctl", &self.args, ifname)?;
        all.retain(|sysctl| args.iter().all(|other| other.name != sysctl.name));
        all.extend(args);
        Ok(all)
    }

    /// Those of an interface whose name is not known.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(crate) fn unnamed(&self) -> Result<Vec<Sysctl>> {
        self.of(IFNAME)
    }
}

/// One sysctl with the value it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sysctl {
    /// As the configuration writes it: what the allow-list is about.
    pub(crate) key: String,
    /// Its path below `/proc/sys/net`; in a [`Sysctls`] with `IFNAME` in it.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
}

impl Sysctl {
    /// Reads a key as `sysctl(8)` does: whichever of `.` and `/` comes first separates the parts, and the other stands
    /// in a part for the first.
    ///
    /// # Errors
    /// Code 7 when the key leaves `/proc/sys/net`.
    pub(crate) fn new(key: &str, value: &str) -> Result<Self> {
        let dotted = key.find(['.', '/']).is_some_and(|at| key[at..].starts_with('.'));
        let swap = |c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        };
        let path: String = if dotted { key.chars().map(swap).collect() } else { key.to_owned() };
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        let name = path.strip_prefix("net/").filter(|name| name.split('/').all(is_part));
        let name = name.ok_or_else(|| {
            Error::config(format!("invalid sysctl {}: it is not below /proc/sys/net", excerpt(key))).because(
                "only network sysctls belong to the container; write net.ipv4.conf.IFNAME.… or net/ipv4/conf/…, \
                 without empty, \".\" and \"..\" parts",
            )
        })?;
        Ok(Self { key: key.to_owned(), name: name.to_owned(), value: value.to_owned() })
    }

    fn named(&self, ifname: &str) -> Self {
        Self { name: self.name.replacen(IFNAME, ifname, 1), ..self.clone() }
    }
}

/// The object `json`, which is called `what`.
///
/// # Errors
/// Code 6 when it is no object of strings, code 7 for a key that leaves `/proc/sys/net`.
fn read(what: &str, json: Option<&Json>) -> Result<Vec<Sysctl>> {
    let members = match json {
        None => return Ok(Vec::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(Error::decode(format!("key {what:?} must be an object of strings"))),
    };
    let mut sysctls: Vec<Sysctl> = Vec::with_capacity(members.len());
    for (key, value) in members {
        let value = match value {
            Json::String(value) => value,
            Json::Null => continue,
            _ => {
                return Err(Error::decode(format!(
                    "key {what:?}: the value of {} must be a string",
                    excerpt(key)
                ))
                .because("write \"1\", not 1"));
            }
        };
        sysctls.push(Sysctl::new(key, value)?);
    }
    Ok(sysctls)
}

/// Those that the object `what` has, of this interface.
fn named(what: &str, declared: &[Sysctl], ifname: &str) -> Result<Vec<Sysctl>> {
    let mut sysctls: Vec<Sysctl> = Vec::with_capacity(declared.len());
    for sysctl in declared.iter().map(|sysctl| sysctl.named(ifname)) {
        if let Some(first) = sysctls.iter().find(|s| s.name == sysctl.name) {
            let duplicated = format!("key {what:?} has duplicated sysctls: {}", excerpt(&sysctl.key));
            return Err(Error::config(duplicated)
                .because(format!("it is there as {} already; which value counts?", excerpt(&first.key))));
        }
        sysctls.push(sysctl);
    }
    Ok(sysctls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_paths() {
        for (key, path) in [
            ("net.ipv4.conf.IFNAME.arp_filter", "ipv4/conf/eth0.100/arp_filter"),
            ("net/ipv4/conf/IFNAME/arp_filter", "ipv4/conf/eth0.100/arp_filter"),
            ("net.ipv4.conf.eth0/100.arp_filter", "ipv4/conf/eth0.100/arp_filter"),
            ("net/ipv4/conf/eth0.100/arp_filter", "ipv4/conf/eth0.100/arp_filter"),
            ("net.ipv6.IFNAME.IFNAME", "ipv6/eth0.100/IFNAME"),
            ("net.core.somaxconn", "core/somaxconn"),
        ] {
            assert_eq!(Sysctl::new(key, "1").unwrap().named("eth0.100").name, path, "{key}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_network_sysctls() {
        for key in [
            "",
            ".",
            "/",
            "net",
            "net.",
            "net/",
            "kernel.hostname",
            "kernel/hostname",
            "/net/core/somaxconn",
            "net/../kernel/hostname",
            "net.//.kernel.hostname",
            "net..core",
            "net//core",
            "net/./core",
            "net/core/..",
            "net.ipv4.conf.//.//.//.kernel.core_pattern",
            "net/core/a\0b",
            "networking/x",
            "./net/core/somaxconn",
            "IFNAME.core.x",
            "../net/core/x",
        ] {
            let error = Sysctl::new(key, "1").unwrap_err();
            assert_eq!(error.code.0, 7, "{key}");
        }
    }

    #[test]
    fn one_sysctl_twice_is_refused_however_it_is_written() {
        let read = |text: &str| {
            let json = Json::parse(text.as_bytes()).unwrap();
            named("sysctl", &super::read("sysctl", Some(&json)).unwrap(), "eth0")
        };
        assert_eq!(read(r#"{"net.core.a":"1","net.core.b":"1"}"#).unwrap().len(), 2);
        for text in [
            r#"{"net.core.a":"1","net.core.a":"1"}"#,
            r#"{"net.core.a":"1","net/core/a":"2"}"#,
            r#"{"net.core.IFNAME":"1","net.core.eth0":"2"}"#,
        ] {
            assert!(read(text).unwrap_err().msg.contains("duplicated"), "{text}");
        }
    }
}
