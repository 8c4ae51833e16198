//! The configuration: the `ipam` object, and what it takes from `CNI_ARGS`.

use std::path::PathBuf;

use cni_types::{Error, Json, Result, excerpt};
use serde::Deserialize;

use crate::message::code;
use crate::wanted::{Provided, Wanted};

/// Where the daemon listens unless told otherwise.
pub(crate) const SOCKET: &str = "/run/cni/dhcp.sock";

/// What is asked for without a word in the configuration. Option 121 stands before those it replaces (RFC 3442).
const DEFAULT_REQUEST: [u8; 8] = [
    code::MASK,
    code::ROUTES,
    code::ROUTERS,
    code::STATIC_ROUTES,
    code::DNS,
    code::DOMAIN,
    code::SEARCH,
    code::MTU,
];
/// What the reference asks for when everything was turned off.
const BARE_REQUEST: [u8; 4] = [code::MASK, code::ROUTERS, code::DOMAIN, code::DNS];
/// Options that have a name; the others go by number.
const NAMES: [(&str, u8); 6] = [
    ("dhcp-client-identifier", code::CLIENT_ID),
    ("subnet-mask", code::MASK),
    ("routers", code::ROUTERS),
    ("host-name", code::HOST_NAME),
    ("user-class", code::USER_CLASS),
    ("vendor-class-identifier", code::VENDOR_CLASS),
];
/// The options that make the exchange what it is: they are the daemon's alone.
const RESERVED: [u8; 8] = [
    code::PAD,
    code::REQUESTED_ADDRESS,
    code::OVERLOAD,
    code::KIND,
    code::SERVER,
    code::WANTED,
    code::SIZE_MAX,
    code::END,
];
/// All options together have to fit into a packet, with room for those of a relay.
const PROVIDED_MAX: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    ipam: Option<IpamKeys>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct IpamKeys {
    daemon_socket_path: String,
    priority: i64,
    provide: Vec<ProvideKeys>,
    request: Vec<RequestKeys>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProvideKeys {
    option: String,
    value: String,
    from_arg: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestKeys {
    skip_default: bool,
    option: String,
}

/// Where the network's daemon listens. DEL must work with any configuration, so one that cannot be read means the
/// usual place.
pub(crate) fn socket_path(conf: &Json) -> PathBuf {
    let path = conf.get("ipam").and_then(|ipam| ipam.get_str("daemonSocketPath")).unwrap_or_default();
    PathBuf::from(if path.is_empty() { SOCKET } else { path })
}

/// Reads the keys.
///
/// # Errors
/// Code 6 for a value of the wrong type, code 7 for one that cannot be; both name the key.
pub(crate) fn read(conf: &Json, args: &str) -> Result<Wanted> {
    let document: Document = conf.decode()?;
    let ipam = document.ipam.ok_or_else(|| Error::config("IPAM config missing 'ipam' key"))?;
    if !ipam.daemon_socket_path.is_empty() && !ipam.daemon_socket_path.starts_with('/') {
        let path = excerpt(&ipam.daemon_socket_path);
        return Err(Error::config(format!("key \"ipam.daemonSocketPath\": {path} is not an absolute path")));
    }
    let priority = u32::try_from(ipam.priority).map_err(|_| {
        Error::config(format!("key \"ipam.priority\": {} is not in 0–{}", ipam.priority, u32::MAX))
    })?;
    Ok(Wanted { request: requested(&ipam.request)?, provide: provided(&ipam.provide, args)?, priority })
}

fn requested(entries: &[RequestKeys]) -> Result<Vec<u8>> {
    let skip_default = entries.iter().any(|entry| entry.skip_default);
    let mut request = if skip_default { Vec::new() } else { DEFAULT_REQUEST.to_vec() };
    for (at, entry) in entries.iter().enumerate() {
        if entry.option.is_empty() && entry.skip_default {
            continue;
        }
        let option = option(&entry.option, &format!("ipam.request[{at}].option"))?;
        if !request.contains(&option) {
            request.push(option);
        }
    }
    Ok(if request.is_empty() { BARE_REQUEST.to_vec() } else { request })
}

fn provided(entries: &[ProvideKeys], args: &str) -> Result<Vec<Provided>> {
    let mut provide: Vec<Provided> = Vec::new();
    // Behind it anything the configuration says: the last one of an option counts.
    if let Some(pod) = find_arg(args, "K8S_POD_NAME").filter(|name| name.len() <= 255) {
        provide.push(Provided { option: code::HOST_NAME, value: pod.as_bytes().to_vec() });
    }
    for (at, entry) in entries.iter().enumerate() {
        let key = format!("ipam.provide[{at}]");
        let option = option(&entry.option, &format!("{key}.option"))?;
        if RESERVED.contains(&option) {
            return Err(Error::config(format!(
                "key \"{key}.option\": the daemon itself sets option {option}"
            )));
        }
        let arg = if entry.from_arg.is_empty() { None } else { find_arg(args, &entry.from_arg) };
        let value = arg.unwrap_or(&entry.value).as_bytes().to_vec();
        if value.len() > 255 {
            return Err(Error::config(format!("key \"{key}\": the value is longer than 255 bytes")));
        }
        if !value.is_empty() {
            provide.retain(|earlier| earlier.option != option);
            provide.push(Provided { option, value });
        }
    }
    if provide.iter().map(|option| option.value.len() + 2).sum::<usize>() > PROVIDED_MAX {
        return Err(Error::config(format!("key \"ipam.provide\": over {PROVIDED_MAX} bytes of options")));
    }
    Ok(provide)
}

/// A name or a number.
fn option(text: &str, key: &str) -> Result<u8> {
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*code);
    }
    let number = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| {
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        Error::config(format!("key \"{key}\": no DHCP option {}", excerpt(text)))
            .because(format!("it must be a number, 0–255, or one of {}", names.join(", ")))
    })
}

/// The value of a key in `CNI_ARGS`, read as leniently as the reference reads it here: what is no pair is passed over,
/// the last one counts.
fn find_arg<'a>(args: &'a str, key: &str) -> Option<&'a str> {
    args.split(';')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(k, _)| *k == key)
        .map(|(_, v)| v)
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(ipam: &str, args: &str) -> Result<Wanted> {
        read(&Json::parse(format!("{{\"ipam\":{ipam}}}").as_bytes()).unwrap(), args)
    }

    fn provided(ipam: &str, args: &str) -> String {
        let text = |p: Provided| format!("{}={}", p.option, String::from_utf8(p.value).unwrap());
        conf(ipam, args).unwrap().provide.into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn requested_options_come_behind_the_default_ones_unless_those_are_skipped() {
        for (ipam, wanted) in [
            ("{}", &DEFAULT_REQUEST[..]),
            (r#"{"request":[]}"#, &DEFAULT_REQUEST),
            (r#"{"request":[{"option":"42"},{"option":"routers"}]}"#, &[1, 121, 3, 33, 6, 15, 119, 26, 42]),
            (r#"{"request":[{"option":"42"},{"skipDefault":true,"option":"subnet-mask"}]}"#, &[42, 1]),
            (r#"{"request":[{"SkipDefault":true}]}"#, &BARE_REQUEST),
        ] {
            assert_eq!(conf(ipam, "").unwrap().request, wanted, "{ipam}");
        }
    }

    #[test]
    fn values_come_from_the_configuration_or_the_arguments() {
        let ipam = r#"{"provide":[
            {"option":"host-name","value":"static","fromArg":"K8S_POD_NAME"},
            {"option":"60","value":"vendor"}, {"option":"77","fromArg":"CLASS"}]}"#;
        assert_eq!(provided(ipam, ""), "12=static 60=vendor");
        assert_eq!(provided(ipam, "x;K8S_POD_NAME=a;K8S_POD_NAME=b;CLASS=c=d"), "12=b 60=vendor 77=c=d");
        assert_eq!(provided("{}", "IgnoreUnknown=1;K8S_POD_NAME=web-0"), "12=web-0");
        assert_eq!(
            provided(r#"{"provide":[{"option":"12","value":"mine"}]}"#, "K8S_POD_NAME=web-0"),
            "12=mine"
        );
        assert_eq!(
            provided(r#"{"provide":[{"option":"12","value":"a"},{"option":"12","value":"b"}]}"#, ""),
            "12=b"
        );
    }

    #[test]
    fn bad_values_name_their_key() {
        let long = "x".repeat(256);
        let many = vec![format!("{{\"option\":\"200\",\"value\":\"{}\"}}", "x".repeat(250)); 1].join("");
        for (ipam, args, code, wanted) in [
            (
                r#"{"request":[{"option":"domain"}]}"#.to_owned(),
                "",
                7,
                "ipam.request[0].option\": no DHCP option \"domain\"",
            ),
            (r#"{"request":[{}]}"#.to_owned(), "", 7, "ipam.request[0].option\": no DHCP option \"\""),
            (r#"{"request":[{"option":"256"}]}"#.to_owned(), "", 7, "no DHCP option \"256\""),
            (r#"{"request":[{"option":"+1"}]}"#.to_owned(), "", 7, "no DHCP option"),
            (r#"{"request":[{"option":3}]}"#.to_owned(), "", 6, "ipam.request[0].option"),
            (
                r#"{"provide":[{"option":"53","value":"x"}]}"#.to_owned(),
                "",
                7,
                "the daemon itself sets option 53",
            ),
            (
                format!(r#"{{"provide":[{{"option":"12","value":"{long}"}}]}}"#),
                "",
                7,
                "longer than 255 bytes",
            ),
            (
                r#"{"provide":[{"option":"12","fromArg":"A"}]}"#.to_owned(),
                &format!("A={long}"),
                7,
                "ipam.provide[0]",
            ),
            (r#"{"priority":-1}"#.to_owned(), "", 7, "ipam.priority"),
            (r#"{"daemonSocketPath":"run/dhcp.sock"}"#.to_owned(), "", 7, "ipam.daemonSocketPath"),
            ("null".to_owned(), "", 7, "IPAM config missing 'ipam' key"),
            ("[]".to_owned(), "", 6, "ipam"),
        ] {
            let error = conf(&ipam, args).unwrap_err();
            assert_eq!(error.code.0, code, "{ipam}: {error}");
            assert!(error.to_string().contains(wanted), "{ipam}: {error}");
        }
        let entries: Vec<_> = (200..204).map(|n| many.replace("200", &n.to_string())).collect();
        let error = conf(&format!(r#"{{"provide":[{}]}}"#, entries.join(",")), "").unwrap_err();
        assert!(error.msg.contains("over 1000 bytes"), "{error}");
    }

    #[test]
    fn the_socket_s_path_is_found_in_any_configuration() {
        for (text, wanted) in [
            (r#"{"ipam":{"daemonsocketpath":"/x.sock"}}"#, "/x.sock"),
            (r#"{"ipam":{"daemonSocketPath":7}}"#, SOCKET),
            (r#"{"ipam":[]}"#, SOCKET),
            ("{}", SOCKET),
        ] {
            assert_eq!(socket_path(&Json::parse(text.as_bytes()).unwrap()), PathBuf::from(wanted), "{text}");
        }
    }
}
