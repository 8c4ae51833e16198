//! What the configuration wants of a server, as the messages say it and the state file keeps it.

use cni_types::fields;
use serde::{Deserialize, Serialize};

/// Options to send and to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    /// The codes of option 55, in order of preference.
    pub(crate) request: Vec<u8>,
    /// Options to send.
    pub(crate) provide: Vec<Provided>,
    /// Metric of the result's routes; 0 is unset.
    pub(crate) priority: u32,
}

fields!(Wanted { "request" request, "provide" provide, "priority" priority });

/// One option to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provided {
    pub(crate) option: u8,
    /// At most 255 bytes.
    #[serde(with = "hex")]
    pub(crate) value: Vec<u8>,
}

mod hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use cni_types::hex_digits;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex_digits(bytes).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || D::Error::custom("it must be up to 255 bytes as pairs of hex digits");
        if text.len() % 2 != 0 || text.len() > 510 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let byte = |at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        (0..text.len()).step_by(2).map(byte).collect::<Option<_>>().ok_or_else(bad)
    }
}
