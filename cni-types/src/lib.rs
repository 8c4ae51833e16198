//! The CNI protocol, spec 0.1.0 to 1.1.0, as values and their texts: configuration, arguments, results, errors, names.
//! Nothing in here has an effect; what a plugin does as a process is `cni-skel`'s.

mod addr;
mod args;
mod attachment;
mod error;
mod failures;
mod family;
mod json;
mod key;
mod mac;
mod name;
mod nearest;
mod network;
mod order;
mod result;
mod stale;
mod version;

pub use addr::{Cidr, OptionalIp, ip_from_octets, ip_number, ip_octets, parse_ip, parse_ip_or_cidr};
pub use args::CniArgs;
pub use attachment::{AttachmentId, hex, hex_digits, network_tag_prefix};
pub use error::{Code, Doing, Error, Result, errno_text};
pub use failures::Failures;
pub use family::Family;
pub use json::{Fields, Flaw, Json, JsonNode, push_string, read_json, same_key};
#[doc(hidden)]
pub use json::{deserialize_fields, set_field};
pub use key::{Absent, Form, Formed, FromText, Key, PluginKeys, Text, Whole, Words};
pub use mac::Mac;
pub use name::{ContainerId, IfName, NetworkName, PluginName, cut, excerpt};
pub use nearest::nearest;
pub use network::{Network, Shared};
pub use order::{Ordered, sort_and_dedup, sort_by};
pub use result::{CniResult, Dns, Interface, IpConfig, Route};
pub use stale::Stale;
pub use version::{Numbers, ResultForm, SpecVersion, declared_version};
