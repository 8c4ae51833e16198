//! A sysctl of the configuration: its key as it is written, and the file it means.

use cni_types::{Error, Json, Result, excerpt};

/// What stands for the interface's name in a key.
const IFNAME: &str = "IFNAME";

/// One sysctl with the value it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sysctl {
    /// As the configuration writes it: what the allow-list is about.
    pub(crate) key: String,
    /// Its path below `/proc/sys/net`.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
}

impl Sysctl {
    /// Reads a key as `sysctl(8)` does: whichever of `.` and `/` comes first separates the parts, and the other stands
    /// in a part for the first. `IFNAME` becomes the interface's name when that is known.
    ///
    /// # Errors
    /// Code 7 when the key leaves `/proc/sys/net`.
    pub(crate) fn new(key: &str, value: &str, ifname: Option<&str>) -> Result<Self> {
        let dotted = key.find(['.', '/']).is_some_and(|at| key[at..].starts_with('.'));
        let swap = |c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        };
        let path: String = if dotted { key.chars().map(swap).collect() } else { key.to_owned() };
        let path = match ifname {
            Some(ifname) => path.replacen(IFNAME, ifname, 1),
            None => path,
        };
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
}

/// The object `json`, which is called `what`.
///
/// # Errors
/// Code 6 when it is no object of strings, code 7 for a key that leaves `/proc/sys/net` or says the same sysctl twice.
pub(super) fn read(what: &str, json: Option<&Json>, ifname: Option<&str>) -> Result<Vec<Sysctl>> {
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
        let sysctl = Sysctl::new(key, value, ifname)?;
        if let Some(first) = sysctls.iter().find(|s| s.name == sysctl.name) {
            return Err(Error::config(format!("key {what:?} has duplicated sysctls: {}", excerpt(key)))
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
            assert_eq!(Sysctl::new(key, "1", Some("eth0.100")).unwrap().name, path, "{key}");
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
            let error = Sysctl::new(key, "1", Some("eth0")).unwrap_err();
            assert_eq!(error.code.0, 7, "{key}");
        }
    }

    #[test]
    fn one_sysctl_twice_is_refused_however_it_is_written() {
        let read =
            |text: &str| super::read("sysctl", Some(&Json::parse(text.as_bytes()).unwrap()), Some("eth0"));
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
