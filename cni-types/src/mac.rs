//! Ethernet hardware addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::error::{Doing, Error, Result as CniResult};
use crate::key::{Form, FromText};
use crate::name::excerpt;

/// An Ethernet hardware address of 6 bytes, written in lower case with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address of an interface from the first of several places that says one: (what the place is called, its
    /// text); also the text as it stands there.
    ///
    /// # Errors
    /// Code 7 naming the place, when the text is no address or the address is a group's or all zero, which the kernel
    /// refuses for a link.
    pub fn configured(sources: &[(&str, &str)]) -> CniResult<Option<(Self, String)>> {
        let Some((source, text)) = sources.iter().find(|(_, text)| !text.is_empty()) else {
            return Ok(None);
        };
        Self::from_text(text).map(|mac| Some((mac, (*text).to_owned()))).doing(source)
    }
}

/// The address of an interface.
impl FromText for Mac {
    const FORM: Form = Form::Text { what: "MAC address", check: Self::check };

    fn from_text(text: &str) -> CniResult<Self> {
        let mac: Self = text.parse().map_err(Error::config)?;
        // The lowest bit of the first byte marks a group (IEEE 802).
        if mac.0[0] & 1 != 0 || mac.0 == [0; 6] {
            return Err(Error::config(format!("{mac} is not the address of one interface")));
        }
        Ok(mac)
    }
}

impl FromStr for Mac {
    type Err = String;

    /// The forms Go's `net.ParseMAC` takes for 6 bytes: `02:11:22:33:44:55`, `02-11-22-33-44-55`, `0211.2233.4455`.
    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| {
            format!(
                "invalid MAC address {}: it must be six two-digit hex bytes, such as 02:11:22:33:44:55",
                excerpt(text)
            )
        })
    }
}

fn read(text: &str) -> Option<Mac> {
    let (separator, digits) = match text.as_bytes().get(2) {
        Some(b':') => (':', 2),
        Some(b'-') => ('-', 2),
        _ => ('.', 4),
    };
    let mut parts = text.split(separator);
    let mut bytes = [0; 6];
    for group in bytes.chunks_mut(digits / 2) {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let value = u16::from_str_radix(part, 16).ok()?.to_be_bytes();
        group.copy_from_slice(&value[2 - digits / 2..]);
    }
    parts.next().is_none().then_some(Mac(bytes))
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
