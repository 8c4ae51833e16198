//! Netlink attributes, both ways (`struct nlattr`, `linux/netlink.h`): length, type, payload, padded to 4 bytes.

/// Bits of the type that are flags (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
const TYPE_MASK: u16 = 0x3fff;

/// The body of a request: a fixed header, then attributes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body(Vec<u8>);

impl Body {
    /// Starts with the message's fixed header; its size must be a multiple of 4.
    pub(crate) fn new(header: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(header);
        Self(bytes)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends an attribute. Ours are far below the 65 535 bytes an attribute can hold.
    pub(crate) fn put(&mut self, kind: u16, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    pub(crate) fn put_u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    pub(crate) fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// A NUL-terminated text.
    pub(crate) fn put_str(&mut self, kind: u16, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes);
    }

    /// Raw bytes between attributes: the `ifinfomsg` inside `VETH_INFO_PEER`.
    pub(crate) fn put_raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// An attribute made of attributes.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        fill(self);
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.0[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }
}

/// The attributes in `bytes`, as (type, payload). A truncated attribute ends the iteration.
pub(crate) fn attrs(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(rest.get(0..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?) & TYPE_MASK;
        let payload = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    })
}

/// The payload of the first attribute of type `kind`.
pub(crate) fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attrs(bytes).find(|(k, _)| *k == kind).map(|(_, payload)| payload)
}

/// A text up to its NUL.
pub(crate) fn text(payload: &[u8]) -> String {
    let end = payload.iter().position(|b| *b == 0).unwrap_or(payload.len());
    String::from_utf8_lossy(&payload[..end]).into_owned()
}

/// A 4-byte integer in host order; 0 when the payload is too short.
pub(crate) fn u32_of(payload: &[u8]) -> u32 {
    payload.get(0..4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// A 2-byte integer in host order; 0 when the payload is too short.
pub(crate) fn u16_of(payload: &[u8]) -> u16 {
    payload.get(0..2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_again() {
        let mut body = Body::new(&[]);
        body.put_str(3, "eth0");
        body.nest(18, |info| {
            info.put(1, b"veth");
            info.put_u8(7, 1);
        });
        let bytes = body.into_bytes();
        assert_eq!(find(&bytes, 3).map(text), Some("eth0".into()));
        assert_eq!(find(find(&bytes, 18).unwrap(), 7), Some(&[1][..]));
    }

    #[test]
    fn garbage_ends_the_walk() {
        for bytes in [&[][..], &[1], &[255, 255, 1, 0], &[0, 0, 0, 0], &[3, 0, 1, 0], &[4, 0, 1, 0, 9]] {
            assert!(attrs(bytes).count() <= 1);
        }
    }
}
