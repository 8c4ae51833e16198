//! Elements.

use cni_netlink::attr::{each, find};
use cni_types::ip_from_octets;

use super::super::element::{ELEMENTS, ElementState, SET};
use super::super::layout::types_of;
use super::super::lookup::text;
use super::super::set::DataType;

/// The elements of a message between braces.
pub(super) fn list(attrs: &[u8], declared: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (key, data) = types_of(&declared(text(attrs, SET)?)?)?;
    let element = |element: &[u8]| {
        let element = ElementState::read(element)?;
        let mut said = words(&key, element.key, element.last)?;
        said += &element.comment.map(|comment| format!(" comment \"{comment}\"")).unwrap_or_default();
        if let Some(value) = element.value {
            said += &format!(" : {}", words(&data, value, None)?);
        }
        Some(said)
    };
    let elements: Option<Vec<_>> = each(find(attrs, ELEMENTS)?).map(|(_, attrs)| element(attrs)).collect();
    Some(format!("{{ {} }}", elements?.join(", ")))
}

/// The fields of a key or value; of a range with where they end.
fn words(types: &[DataType], value: &[u8], last: Option<&[u8]>) -> Option<String> {
    let (mut value, mut last) = (value, last.unwrap_or(value));
    let mut words = Vec::new();
    for of in types {
        let length = usize::try_from(of.bytes).ok()?;
        let (first, end) = (of.word(value.get(..length)?)?, of.word(last.get(..length)?)?);
        words.push(if first == end { first } else { format!("{first}-{end}") });
        [value, last] =
            [value, last].map(|bytes| bytes.get(length.next_multiple_of(4)..).unwrap_or_default());
    }
    Some(words.join(" . "))
}

impl DataType {
    fn word(self, value: &[u8]) -> Option<String> {
        Some(match self.name {
            "ipv4_addr" | "ipv6_addr" => ip_from_octets(value)?.to_string(),
            "inet_proto" => value.first()?.to_string(),
            "inet_service" => u16::from_be_bytes(value.try_into().ok()?).to_string(),
            "ifname" => format!("\"{}\"", std::str::from_utf8(value).ok()?.trim_end_matches('\0')),
            _ => return None,
        })
    }
}
