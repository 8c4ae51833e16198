//! Comments, in the user data of chains, rules and elements. The kernel stores them unread; the form is that of
//! libnftnl (`udata.h`): a list of (type, length, value) with one byte each for type and length.

use cni_netlink::attr::{Attrs, find};

/// The comment in the user data of chains, rules and elements alike (`NFTNL_UDATA_*_COMMENT`).
const KIND: u8 = 0;
/// Longest comment in bytes (`NFTNL_UDATA_COMMENT_MAXLEN`); `nft` refuses longer ones.
pub const COMMENT_MAX: usize = 128;

/// Writes a comment, cut at [`COMMENT_MAX`].
pub(super) fn write(attrs: &mut Attrs, kind: u16, comment: &str) {
    let end = (0..=COMMENT_MAX.min(comment.len())).rev().find(|&i| comment.is_char_boundary(i)).unwrap_or(0);
    let text = &comment.as_bytes()[..end];
    let len = u8::try_from(text.len() + 1).unwrap_or(u8::MAX);
    attrs.bytes(kind, &[&[KIND, len], text, &[0]].concat());
}

/// The comment in the user data attribute `kind` of an object.
pub fn comment(object: &[u8], kind: u16) -> Option<&str> {
    let mut rest = find(object, kind)?;
    loop {
        let (&[found, len], tail) = rest.split_first_chunk::<2>()?;
        let value = tail.get(..usize::from(len))?;
        if found == KIND {
            return std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok();
        }
        rest = &tail[usize::from(len)..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_survives_and_is_cut_at_a_character() {
        let mut attrs = Attrs::default();
        write(&mut attrs, 6, "hi there");
        assert_eq!(&attrs.as_bytes()[4..], b"\0\x09hi there\0\0");
        assert_eq!(comment(attrs.as_bytes(), 6), Some("hi there"));
        let mut attrs = Attrs::default();
        write(&mut attrs, 6, &"ä".repeat(100));
        assert_eq!(comment(attrs.as_bytes(), 6), Some("ä".repeat(64).as_str()));
    }

    #[test]
    fn garbage_is_no_comment() {
        for bad in [&[][..], &[0], &[0, 9, b'x'], &[1, 0], &[0, 2, 0xff, 0]] {
            let mut attrs = Attrs::default();
            attrs.bytes(7, bad);
            assert_eq!(comment(attrs.as_bytes(), 7), None, "{bad:?}");
        }
    }
}
