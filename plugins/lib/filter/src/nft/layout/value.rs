//! What is compared with.

use cni_types::{Cidr, Mac, ip_octets, parse_ip};

use super::field::Kind;
use super::tokens::Read;

/// A value: the field's first bytes, or its bits under a mask.
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    pub(super) mask: Option<Vec<u8>>,
    /// Whether any of the bits will do: then the bytes are what it must not be, zero.
    pub(super) is_flags: bool,
}

impl Value {
    /// Reads one, or flags with commas between them.
    pub(super) fn read(kind: Kind, text: &str) -> Read<Self> {
        Self::find(kind, text.trim_matches('"')).ok_or_else(|| format!("{text} is no value of this kind"))
    }

    fn find(kind: Kind, text: &str) -> Option<Self> {
        let bytes = match kind {
            Kind::Address(family) => {
                let network = text.parse().ok().or_else(|| parse_ip(text).map(Cidr::host));
                return network.filter(|network: &Cidr| network.family() == family).map(Self::network);
            }
            Kind::Mac => text.parse::<Mac>().ok()?.0.to_vec(),
            // Padded with NULs (`IFNAMSIZ`), or only the beginning.
            Kind::Interface => match text.strip_suffix('*') {
                Some(start) => start.as_bytes().to_vec(),
                None => text.bytes().chain(std::iter::repeat(0)).take(16).collect(),
            },
            Kind::Mark => {
                let hex = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
                hex.unwrap_or_else(|| text.parse()).ok()?.to_ne_bytes().to_vec()
            }
            Kind::Words(words) => words.iter().find(|(word, _)| *word == text)?.1.to_vec(),
            Kind::Flags(flags) => {
                let bit = |name: &str| flags.iter().find(|(flag, _)| *flag == name).map(|(_, bit)| bit);
                let bits = text.split(',').try_fold(0, |bits, name| Some(bits | bit(name)?))?;
                let mask = Some(bits.to_ne_bytes().to_vec());
                return Some(Self { bytes: vec![0; 4], mask, is_flags: true });
            }
            Kind::Key => return None,
        };
        Some(Self { bytes, mask: None, is_flags: false })
    }

    /// Whole bytes of a network are compared as such.
    fn network(network: Cidr) -> Self {
        let mut bytes = ip_octets(network.network());
        let prefix = usize::from(network.prefix());
        let is_whole = prefix > 0 && prefix % 8 == 0;
        if is_whole {
            bytes.truncate(prefix / 8);
        }
        let mask = ip_octets(network.family().mask(network.prefix()));
        Self { bytes, mask: (!is_whole).then_some(mask), is_flags: false }
    }
}
