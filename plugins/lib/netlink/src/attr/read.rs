//! Reading attributes.

use super::{KIND_MASK, NESTED};

/// The attributes in `bytes`, in order, as (type, value). Ends at the first one that is malformed.
pub fn each(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, _) = bytes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        let kind = u16::from_ne_bytes([head[2], head[3]]) & KIND_MASK;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

/// Whether the attribute that starts here was written with [`Attrs::nest`].
fn is_nested(bytes: &[u8]) -> bool {
    bytes.get(2..4).is_some_and(|kind| host16(kind).is_some_and(|kind| kind & NESTED != 0))
}

/// Whether each attribute of `written` is in `listed` with the same value, those in nested ones too. For one that is in
/// `listed` only, `may_add` says by its type and value whether it may be; in nested ones there is none.
pub fn agrees(written: &[u8], listed: &[u8], may_add: &dyn Fn(u16, &[u8]) -> bool) -> bool {
    let mut rest = written;
    for (kind, value) in each(written) {
        let nested = is_nested(rest);
        rest = rest.get((value.len() + 4).next_multiple_of(4)..).unwrap_or(&[]);
        let same = match find(listed, kind) {
            Some(found) if nested => agrees(value, found, &|_, _| false),
            found => found == Some(value),
        };
        if !same {
            return false;
        }
    }
    each(listed).all(|(kind, value)| find(written, kind).is_some() || may_add(kind, value))
}

/// The value of the first attribute of this type.
pub fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    each(bytes).find(|&(k, _)| k == kind).map(|(_, value)| value)
}

/// The bytes that a value of a fixed size has.
pub fn array<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.first_chunk().copied()
}

/// An 8-bit number.
pub fn byte(value: &[u8]) -> Option<u8> {
    value.first().copied()
}

/// A 16-bit number in host order.
pub fn host16(value: &[u8]) -> Option<u16> {
    array(value).map(u16::from_ne_bytes)
}

/// A 32-bit number in host order.
pub fn host32(value: &[u8]) -> Option<u32> {
    array(value).map(u32::from_ne_bytes)
}

/// A 64-bit number in host order.
pub fn host64(value: &[u8]) -> Option<u64> {
    array(value).map(u64::from_ne_bytes)
}

/// A 16-bit number in network order.
pub fn net16(value: &[u8]) -> Option<u16> {
    array(value).map(u16::from_be_bytes)
}

/// A 32-bit number in network order.
pub fn net32(value: &[u8]) -> Option<u32> {
    array(value).map(u32::from_be_bytes)
}

/// A 64-bit number in network order.
pub fn net64(value: &[u8]) -> Option<u64> {
    array(value).map(u64::from_be_bytes)
}

/// A value as a text, up to its NUL.
pub fn text(value: &[u8]) -> Option<&str> {
    let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()
}
