//! The configuration: the `ipam` object, and what it takes from `CNI_ARGS`.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use cni_types::{Error, Form, FromText, Json, Key, PluginKeys, Result, Text, Whole, excerpt, keys};

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

keys! {
    struct Document {
        "ipam" ipam: Option<IpamKeys>, required();
    }

    struct IpamKeys {
        /// the daemon's socket
        "daemonSocketPath" daemon_socket_path: Text<Socket>, otherwise("`/run/cni/dhcp.sock`");
        /// metric of every route in the result
        "priority" priority: Whole<0, { u32::MAX as i64 }>, otherwise("0: unset");
        /// options to send
        "provide" provide: Vec<ProvideKeys>;
        /// options to ask for, beside the usual ones
        "request" request: Vec<RequestKeys>;
    }

    struct ProvideKeys {
        /// its number, or its name
        "option" option: Text<Choice>, required();
        /// up to 255 bytes
        "value" value: String;
        /// a key of `CNI_ARGS` whose value wins
        "fromArg" from_arg: String;
    }

    struct RequestKeys {
        /// the usual ones are not asked for
        "skipDefault" skip_default: bool;
        /// its number, or its name
        "option" option: Text<Choice>;
    }
}

/// What `dhcp` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "dhcp",
    keys: &[Document::KEYS],
    args: &[Key::of::<String>("K8S_POD_NAME", "sent as the host name (option 12) unless `provide` has one")],
};

/// Where a daemon may listen.
struct Socket;

impl FromText for Socket {
    const FORM: Form = Form::Text { what: "absolute path", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        let is_absolute = text.starts_with('/').then_some(Self);
        is_absolute.ok_or_else(|| Error::config(format!("{} is not an absolute path", excerpt(text))))
    }
}

/// A DHCP option, by name or number.
struct Choice(u8);

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
    ipam.daemon_socket_path.read_if_given("ipam.daemonSocketPath")?;
    let priority = ipam.priority.read("ipam.priority")?;
    Ok(Wanted { request: requested(&ipam.request)?, provide: provided(&ipam.provide, args)?, priority })
}

fn requested(entries: &[RequestKeys]) -> Result<Vec<u8>> {
    let skip_default = entries.iter().any(|entry| entry.skip_default);
    let mut request = if skip_default { Vec::new() } else { DEFAULT_REQUEST.to_vec() };
    for (at, entry) in entries.iter().enumerate() {
        let Some(Choice(option)) = entry.option.read_if_given(&format!("ipam.request[{at}].option"))? else {
            continue;
        };
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
        let Choice(option) = entry.option.read(&format!("{key}.option"))?;
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

impl FromText for Choice {
    const FORM: Form = Form::Text { what: "option", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self(*code));
        }
        let number = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        number.map(Self).ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            Error::config(format!("no DHCP option {}", excerpt(text)))
                .because(format!("it must be a number, 0–255, or one of {}", names.join(", ")))
        })
    }
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
